/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages for the application: the connection's state, its progress, warnings and errors. They may
 * be posted on any thread, with no lock held. */
#pragma once

#include "fal/session/session.h"

G_BEGIN_DECLS

#define GST_TYPE_FAL_CONNECTION_STATE (gst_fal_connection_state_get_type ())
GType gst_fal_connection_state_get_type (void);
const gchar *gst_fal_connection_state_get_nick (FalDialerState state);

/* What PROGRESS messages have said to have begun, and none yet to have ended: connecting, with the
 * code "fal-connect", and the wait for a first result that takes long, with "fal-model". Belongs to
 * whoever posts them. */
typedef struct {
  gboolean connects, loads;
} GstFalProgress;

/* Posts the PROGRESS messages that come of this new state. @address: of the app, or NULL. */
void gst_fal_post_progress (
    GstElement *element, GstFalProgress *progress, FalDialerState state, const gchar *address);
/* Posts one, or an INFO about frames, since the state has been the same for so long. */
void gst_fal_post_still (
    GstElement *element, GstFalProgress *progress, FalDialerState state, guint seconds);

/* Posts an INFO message. */
void gst_fal_post_advice (GstElement *element, const GError *advice);

/* Posts the element message "fal-connection" with the field "state". */
void gst_fal_post_connection (GstElement *element, FalDialerState state);

/* Posts the element message "fal-cost". */
void gst_fal_post_cost (GstElement *element, const FalCost *cost);

/* Posts an ERROR (@fatal) or WARNING message: here an error of the session becomes one of the bus.
 * @details is taken, and may be NULL. */
void gst_fal_post_trouble (
    GstElement *element, gboolean fatal, const GError *error, GstStructure *details);

G_END_DECLS
