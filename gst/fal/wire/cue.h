/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the text of a cue says. Pure; used on any thread. */
#pragma once

#include "names.h"

#include <gst/gst.h>

G_BEGIN_DECLS

#define FAL_CUE_MAX_BYTES (64 * 1024) /* of one text */

/* The inputs that a cue of this text sets, as a map: those of a JSON object, else "prompt" with the
 * text itself, without the white space around it. An empty text sets none. @markup: the text is
 * Pango's markup, which is taken out. @names: which inputs an object may bring.
 *
 * Error, G_IO_ERROR_INVALID_DATA: it is too long, no UTF-8, no markup, JSON but no object, or an
 * object with an input that @names do not admit. The message goes on after "it". */
GstStructure *fal_cue_parse (
    const gchar *text, gsize size, gboolean markup, FalNames *names, GError **error);

G_END_DECLS
