/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The presets that come with the element, beside those that a user saves. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Of the element's GstPreset interface: built-in presets come first, and cannot be changed; a
 * user's own are kept where GStreamer keeps them. Secrets are in none. */
void gst_fal_presets_init (GstPresetInterface *interface, gpointer data);

G_END_DECLS
