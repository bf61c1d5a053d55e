/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The message that brings pictures to a client, as the schema has it. Pure; any thread. */
#pragma once

#include "schema.h"

G_BEGIN_DECLS

typedef struct {
  GBytes *bytes;
  gint width, height;
} FalOutcomePicture;

/* All borrowed for the call. */
typedef struct {
  const FalSchema *schema;
  const GstStructure *request;
  const FalOutcomePicture *pictures;
  guint n_pictures;
  const gchar *url;          /* stands in place of each picture; NULL: as the schema has it */
  const GstStructure *state; /* fields that are added; NULL: none */
  gdouble seconds;           /* of inference */
  gboolean echo;             /* request_id */
} FalOutcomeParts;

/* The whole binary message. */
GBytes *fal_outcome_new (const FalOutcomeParts *parts, GError **error);

G_END_DECLS
