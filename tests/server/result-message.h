/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The message that brings pictures to a client, as the schema has it. Pure; any thread. */
#pragma once

#include "schema.h"

G_BEGIN_DECLS

typedef struct {
  GBytes *bytes;
  const gchar *content_type;
  gint width, height;
} FalResultPicture;

/* All borrowed for the call. */
typedef struct {
  const FalSchema *schema;
  const GstStructure *request;
  const FalResultPicture *pictures;
  guint n_pictures;
  const gchar *url;          /* stands in place of each picture; NULL: as the schema has it */
  const GstStructure *state; /* fields that are added; NULL: none */
  gdouble seconds;           /* of inference */
  gboolean echo;             /* request_id */
} FalResultParts;

/* The whole binary message. */
GBytes *fal_result_message_new (const FalResultParts *parts, GError **error);

G_END_DECLS
