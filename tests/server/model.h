/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands in place of a model, for one connection: requests that follow one another as the
 * schema has it, and an effect on the picture. Belongs to one thread. */
#pragma once

#include "schema.h"

G_BEGIN_DECLS

typedef struct {
  const FalSchema *schema;
  gboolean echo_request_id; /* where the schema does so at all */
  gboolean refuse_unknown;  /* top-level fields */
  const gchar *result_url;  /* in place of each picture; NULL: the picture */
} FalModelConfig;

/* What is done to the picture: a row of the table in effects/, which model.c alone knows. */
typedef struct _FalEffect FalEffect;

/* NULL where there is none of that name. */
const FalEffect *fal_model_find_effect (const gchar *name);
/* "echo, invert, …"; free with g_free(). */
gchar *fal_model_dup_effect_names (void);

typedef struct _FalModel FalModel;

/* @config must live longer. */
FalModel *fal_model_new (const FalModelConfig *config);
void fal_model_free (FalModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalModel, fal_model_free)

/* The whole binary message that answers @request. The error's message is the reason that a
 * client is told. @least_seconds: of inference time, for the result's timings. */
GBytes *fal_model_run (FalModel *model, const FalEffect *effect, gdouble least_seconds,
    const GstStructure *request, GError **error);

G_END_DECLS
