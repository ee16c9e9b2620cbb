// The React face against its typings: compiled by `npm run typecheck`, never run.

import * as implementation from '../../lib/react/index.mjs';
import type * as typings from '../../types/react.js';

implementation satisfies typeof typings;
