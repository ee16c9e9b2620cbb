import {
  HotpathClosedError,
  HotpathConflictError,
  HotpathError,
  HotpathLoadError,
  HotpathStorageError,
  HotpathValueError,
} from 'hotpath';
import { expectType } from './expect.js';

declare const error: unknown;

if (error instanceof HotpathError) expectType<string>()(error.code);
if (error instanceof HotpathConflictError) {
  expectType<string>()(error.option);
  expectType<unknown>()(error.existing);
}
if (error instanceof HotpathLoadError) {
  expectType<string | undefined>()(error.libc);
  expectType<string | undefined>()(error.attempts[0]?.reason);
}
const general: HotpathError[] = [
  new HotpathClosedError('closed', { cause: error }),
  new HotpathStorageError('disk'),
  new HotpathValueError('value'),
];
void general;
// @ts-expect-error codes do not change
new HotpathClosedError('closed').code = 'other';
