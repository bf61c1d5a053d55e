/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages for the application: the connection's state, its progress, warnings and errors. They may
 * be posted on any thread, with no lock held. */
#pragma once

#include "fal/session/session.h"

G_BEGIN_DECLS

#define GST_TYPE_FAL_CONNECTION_STATE (gst_fal_connection_state_get_type ())
GType gst_fal_connection_state_get_type (void);
const gchar *gst_fal_connection_state_get_nick (FalDialerState state);

/* Posts a PROGRESS message with the code "fal-connect" where @state is a step of connecting. @open:
 * one was posted that says that connecting has begun, and none yet that it has ended. Returns
 * whether that is so now. */
gboolean gst_fal_post_progress (GstElement *element, FalDialerState state, gboolean open);

/* Posts the element message "fal-connection" with the field "state". */
void gst_fal_post_connection (GstElement *element, FalDialerState state);

/* Posts an ERROR (@fatal) or WARNING message: here an error of the session becomes one of the bus.
 * @details is taken, and may be NULL. */
void gst_fal_post_trouble (
    GstElement *element, gboolean fatal, const GError *error, GstStructure *details);

G_END_DECLS
