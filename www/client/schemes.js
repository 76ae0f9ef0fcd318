// The schemes, which are of equal rank and do not know each other. To add one, see CONTRIBUTING.md.

import { Ckks } from './schemes/ckks/scheme.js';
import { Etc } from './schemes/etc/scheme.js';
import { Paillier } from './schemes/paillier/scheme.js';

export const SCHEMES = [Paillier, Etc, Ckks];
