/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the element tells its application: connection state, progress, troubles. */
#pragma once

#include "fal/session/session.h"

G_BEGIN_DECLS

#define GST_TYPE_FAL_CONNECTION_STATE (gst_fal_connection_state_get_type ())
GType gst_fal_connection_state_get_type (void);
const gchar *gst_fal_connection_state_get_nick (FalDialerState state);

/* PROGRESS with code "fal-connect", where @state is a step of connecting; @open:
 * one has begun. Whether one is open then. */
gboolean gst_fal_post_progress (GstElement *element, FalDialerState state, gboolean open);

/* An element message "fal-connection" with the "state". */
void gst_fal_post_connection (GstElement *element, FalDialerState state);

/* An ERROR or WARNING: the one place where an error of the session becomes one of
 * the bus. @details is taken; may be NULL. */
void gst_fal_post_trouble (
    GstElement *element, gboolean fatal, const GError *error, GstStructure *details);

G_END_DECLS
