/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A command in place of an effect: a process that pictures are handed to, and that is started anew
 * where it fails (picture-process.h says how it is spoken to). It takes as long as it takes, so not
 * the server's thread but one of its own uses it. */
#pragma once

#include "effects/matte.h"

G_BEGIN_DECLS

typedef struct _FalEffectCommand FalEffectCommand;

/* Starts it at once, so that what cannot start is told here, and what takes long to load begins
 * with that. @timeout_ms: for a picture, loading included; 0: 30 s. */
FalEffectCommand *fal_effect_command_new (const gchar *command, guint timeout_ms, GError **error);
void fal_effect_command_free (FalEffectCommand *command);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalEffectCommand, fal_effect_command_free)

/* @image is replaced where a picture comes back; else *matte is set, as coarse as it came. */
gboolean fal_effect_command_apply (
    FalEffectCommand *command, FalRgbImage **image, FalMatte **matte, GError **error);
/* What is worked on fails now, and so does all that follows. Any thread. */
void fal_effect_command_stop (FalEffectCommand *command);

G_END_DECLS
