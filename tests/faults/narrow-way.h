/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A way to the server on which a camera's frames are several times too much. */
#pragma once

#include "invariants.h"

G_BEGIN_DECLS

/* Pushes three seconds of frames whose pictures are large, and the end of the stream. What does not
 * pass must be dropped and counted; nothing may pile up on the way, where results would get older
 * with each frame. On the test's own thread. */
void narrow_way_check (Fixture *f, Invariants *invariants);

G_END_DECLS
