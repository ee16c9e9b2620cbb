// Wrong on purpose: proves that the gates `typecheck` and `test:types` can fail.
import { MemoryCache } from 'hotpath';

export const canary: string = new MemoryCache<number>().get('key');
