// The schemes, which are independent of each other. To add one, see CONTRIBUTING.md.

import { Ckks } from './schemes/ckks/scheme.js';
import { Etc } from './schemes/etc/scheme.js';
import { Paillier } from './schemes/paillier/scheme.js';

export const SCHEMES = [Paillier, Etc, Ckks];
