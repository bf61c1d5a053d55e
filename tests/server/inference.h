/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One inference: the pictures that answer a request. Made where the request came, run on whatever
 * thread has the time, and then read again where it was made; on one thread at a time. */
#pragma once

#include "effect-command.h"
#include "model.h"
#include "result-message.h"

G_BEGIN_DECLS

/* Takes @request. What can be said without looking at the picture is an error here. */
FalInference *fal_inference_new (const FalSchema *schema, GstStructure *request, GError **error);

/* Decodes, applies @command or, where that is NULL, @effect, and encodes. */
gboolean fal_inference_run (
    FalInference *inference, const FalEffect *effect, FalEffectCommand *command, GError **error);

/* After it has run: pictures, the request that they answer, and how long it took. All borrowed. */
void fal_inference_describe (FalInference *inference, FalResultParts *parts);

G_END_DECLS
