/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the property background says. No state; used on any thread. */
#pragma once

#include "fal/options.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* @text: `blur`, or a colour as `#RRGGBB`, `0xAARRGGBB` or a name; NULL or empty: black. Error:
 * G_IO_ERROR_INVALID_ARGUMENT, which says what @text is and what it may be. */
gboolean fal_background_parse (const gchar *text, FalBackground *background, GError **error);

G_END_DECLS
