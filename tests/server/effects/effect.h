/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the local server does to a picture in place of a model: changes to be seen at a glance. */
#pragma once

#include "rgb-image.h"

G_BEGIN_DECLS

typedef struct _FalEffect FalEffect;

/* NULL where there is none of that name. */
const FalEffect *fal_effect_find (const gchar *name);
/* "echo, invert, …"; free with g_free(). */
gchar *fal_effect_dup_names (void);
/* The picture comes back byte for byte: there is nothing to apply. */
gboolean fal_effect_is_echo (const FalEffect *effect);
void fal_effect_apply (const FalEffect *effect, FalRgbImage *image);

G_END_DECLS
