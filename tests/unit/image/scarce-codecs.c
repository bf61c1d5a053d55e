/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of TurboJPEG, too, memory is asked for: see scarce-memory.h. */
#include "../scarce-memory.h"

#include <turbojpeg.h>

tjhandle __real_tjInitDecompress (void);
tjhandle __wrap_tjInitDecompress (void);
tjhandle __real_tjInitCompress (void);
tjhandle __wrap_tjInitCompress (void);

tjhandle
__wrap_tjInitDecompress (void)
{
  return scarce_memory_is_there () ? __real_tjInitDecompress () : NULL;
}

tjhandle
__wrap_tjInitCompress (void)
{
  return scarce_memory_is_there () ? __real_tjInitCompress () : NULL;
}
