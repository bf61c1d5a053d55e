/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of each app: how its requests look and what it answers.
 *
 * Pure; used on any thread. The profiles are static. */
#pragma once

#include "fal/options.h"

G_BEGIN_DECLS

/* A property that the user has set goes over what a profile says. */
typedef struct {
  const gchar *app;  /* its id; "": an app that nothing is known of */
  const gchar *path; /* NULL: the usual one, "/realtime" */
  const gchar *image_field;
  FalImageEncoding image_encoding;
  gint echoes_request_id;                      /* 1: yes, 0: no, −1: not known */
  const gchar *result_field;                   /* NULL: the usual fields */
  guint width, height;                         /* best size of the picture, pixels; 0: any */
  guint quality;                               /* best JPEG quality, 1 to 100; 0: any */
  const gchar *start_fields, *feedback_fields; /* as the properties of that name; or NULL */
  const gchar *inputs;                         /* of each request, a JSON object; or NULL */
  gboolean wait_for_ready;                     /* the app says when it can be sent requests */
  gboolean server_streaming; /* it answers a request with results until it closes */
  guint throttle_interval;   /* between two requests, ms: it takes frames at this rate; 0: any */
  guint block_size;          /* frames that it answers together, with as many pictures; 0: each */
  guint first_block;         /* the same, of a connection's first answer; 0: as many */
} FalAppProfile;

/* The profile of @app, or of the app that it is a part of. Never NULL: an app that nothing is known
 * of gets a data URI in "image_url". @app may be NULL. */
const FalAppProfile *fal_app_profile_find (const gchar *app);

/* A question for whoever meant another app: "Did you mean fal-ai/lcm?", with up to three ids that
 * are near @app, the nearest first. NULL: none is, or @app is known. */
gchar *fal_app_profile_suggest (const gchar *app);

G_END_DECLS
