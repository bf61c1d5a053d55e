/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads of GstTasks that end with their task. GStreamer's own stay for half a second, in case
 * that another task comes, so that a test would have to wait to see them go. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* For all tasks from now on. After gst_init(). */
void joined_tasks_install (void);

G_END_DECLS
