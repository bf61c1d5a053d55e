// SPDX-License-Identifier: LGPL-2.1-or-later
// Every case, in one process and so in one TAP stream. Started by run.

import './client.mjs';
import './schemas.mjs';
import './requests.mjs';
import './segmentation.mjs';
import './api.mjs'; // the last: it knows the names of all the others
