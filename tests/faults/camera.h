/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera before an element: frames go in, two hundred a second, until something comes of them.
 * The test's own thread; a watchdog ends a test that waits in vain. */
#pragma once

#include "invariants.h"

G_BEGIN_DECLS

/* Its owner fills it in; what it points to is borrowed. */
typedef struct {
  Fixture *f;
  Invariants *invariants;
  guint pushed; /* frames so far, and the number of the next one */
} Camera;

/* A frame; for what has more to do between two of them than the functions below. */
void camera_push (Camera *camera);
/* Pushes until @n more results are out. */
void camera_push_until_results (Camera *camera, guint n);
/* Pushes until there is a WARNING or ERROR: it must be a WARNING that holds @text. */
void camera_push_until_warning (Camera *camera, const gchar *text);
void camera_push_for (Camera *camera, gint64 milliseconds);

G_END_DECLS
