// The jobs of the vault. job.js says what a job is.

import { Ask } from './jobs/ask/job.js';
import { Filter } from './jobs/filter/job.js';
import { Recognise } from './jobs/recognise/job.js';

export const JOBS = [
  Filter, // filter, encrypt, open
  Recognise, // classify
  Ask, // classify-encrypted
];
