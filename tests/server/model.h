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

/* What is done to the picture: a row of the table in effects/, which model.c and inference.c alone
 * know. */
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

/* What a request makes the model do: inference.h. */
typedef struct _FalInference FalInference;
void fal_inference_free (FalInference *inference);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalInference, fal_inference_free)

/* Takes @request, and checks it. The message of this error, and of those that follow, is the reason
 * that a client is told. */
FalInference *fal_model_begin (FalModel *model, GstStructure *request, GError **error);
/* The whole binary message that answers the request. @least_seconds: of inference time, for the
 * result's timings. */
GBytes *fal_model_end (
    FalModel *model, FalInference *inference, gdouble least_seconds, GError **error);
/* Both, and the inference in between. */
GBytes *fal_model_run (FalModel *model, const FalEffect *effect, gdouble least_seconds,
    GstStructure *request, GError **error);

G_END_DECLS
