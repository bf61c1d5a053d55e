/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame becomes a request: inputs, picture, id. Belongs to the send thread. */
#pragma once

#include "fal/settings/settings.h"

G_BEGIN_DECLS

typedef struct _FalRequestBuilder FalRequestBuilder;

FalRequestBuilder *fal_request_builder_new (void);
void fal_request_builder_free (FalRequestBuilder *composer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalRequestBuilder, fal_request_builder_free)

/* @settings hold from the next request on. Error: parameters-json cannot be read; the last good
 * inputs then stay. */
gboolean fal_request_builder_set_settings (
    FalRequestBuilder *composer, FalSettings *settings, GError **error);

/* All borrowed. */
typedef struct {
  GstSample *sample;
  const gchar *request_id;      /* NULL: none is sent */
  gboolean first;               /* of its connection: start fields go along */
  const GstStructure *feedback; /* from the last result, over the inputs; or NULL */
  const GstStructure *inputs;   /* of this request alone, over all others; or NULL */
  /* Another way to encode: the request without its picture, and that. NULL, or an answer of NULL:
   * the built-in one. */
  GBytes *(*encode) (gpointer user, GstStructure *request, GBytes *image);
  gpointer user;
} FalRequestParts;

/* The request as the bytes of one binary frame. */
GBytes *fal_request_builder_build (
    FalRequestBuilder *composer, const FalRequestParts *composition, GError **error);

/* Those of the @names (comma separated, dotted; or NULL) that @fields has; NULL: none. */
GstStructure *fal_request_builder_pick (const GstStructure *fields, const gchar *names);

G_END_DECLS
