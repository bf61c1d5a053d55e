/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Presets of the element: those that come with it, and those that a user saves. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Initialises the element's GstPreset interface. The built-in presets come first and cannot be
 * changed; what a user saves is kept where GStreamer keeps it. No preset has a secret in it. */
void gst_fal_presets_init (GstPresetInterface *interface, gpointer data);

G_END_DECLS
