/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands in place of a model: a schema, which says how requests and results look on the
 * wire, and an effect on the picture between them. Pure; any thread. */
#pragma once

#include <gst/gst.h>
#include "effects.h"

G_BEGIN_DECLS

typedef struct _FalSchema FalSchema;

/* NULL where there is none of that name. */
const FalSchema *fal_schema_find (const gchar *name);
/* "turbo, lcm, …"; free with g_free(). */
gchar *fal_schema_dup_names (void);
/* Whether the app says {"status":"ready"} when a client has connected. */
gboolean fal_schema_says_ready (const FalSchema *schema);

/* A client's message by the schema's codec. */
GstStructure *fal_schema_decode (const FalSchema *schema, GBytes *message, GError **error);

typedef struct {
  const FalEffect *effect;
  gboolean echo_request_id; /* where the schema does so at all */
  gdouble least_seconds;    /* of inference time, for the result's timings */
} FalModelOptions;

/* The whole binary message that answers @request. The error's message is the reason that a
 * client is told. */
GBytes *fal_model_run (const FalSchema *schema, const FalModelOptions *options,
    const GstStructure *request, GError **error);

G_END_DECLS
