/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of each app.
 *
 * Pure and thread safe; the profiles are static. */
#pragma once

#include "fal/options.h"

G_BEGIN_DECLS

/* What is known of an app. */
typedef struct {
  const gchar *app;
  const gchar *path; /* NULL: the usual one */
  const gchar *image_field;
  FalImageEncoding image_encoding;
  gint echoes_request_id;                      /* 1: yes, 0: no, -1: not known */
  const gchar *result_field;                   /* NULL: the usual places */
  guint width, height;                         /* the size that suits it best; 0: any */
  guint quality;                               /* JPEG quality that suits it best; 0: any */
  const gchar *start_fields, *feedback_fields; /* as in the properties; or NULL */
  const gchar *inputs; /* as parameters-json, under all that is set; or NULL */
  gboolean wait_for_ready;
  gboolean server_streaming; /* results for a request until it closes */
} FalAppProfile;

/* Never NULL: an app that nothing is known of takes a data URI in "image_url". */
const FalAppProfile *fal_app_profile_find (const gchar *app);

G_END_DECLS
