/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names.h"
#include "visible-text.h"

#include <string.h>

struct _FalNames {
  guint left; /* new names that may still come */
  guint64 dropped;
};

/* What fal's clients, its server framework and its apps say; known before any peer speaks. */
static const gchar *const known_names[] = { "action", "application", "code", "content",
  "content_type", "ctx", "data", "description", "detail", "error", "error_type", "exp", "file_data",
  "file_name", "file_size", "frame", "frames", "has_nsfw_concepts", "height", "id", "image",
  "image_url", "images", "index", "inference", "input", "loc", "mask", "mask_image", "message",
  "model", "msg", "name", "nsfw_content_detected", "num_inference_steps", "output", "prompt",
  "reason", "request_id", "result", "seed", "session_id", "status", "strength", "timestamp",
  "timing", "timings", "token", "total", "type", "url", "video", "width" };

static void
know_protocol (void)
{
  static gsize done;

  if (!g_once_init_enter (&done))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (known_names); i++)
    g_quark_from_static_string (known_names[i]);
  g_once_init_leave (&done, 1);
}

FalNames *
fal_names_new (guint budget)
{
  FalNames *names = g_new0 (FalNames, 1);

  know_protocol ();
  names->left = budget;
  return names;
}

void
fal_names_free (FalNames *names)
{
  g_free (names);
}

void
fal_names_know (const gchar *path)
{
  g_auto (GStrv) parts = path != NULL ? g_strsplit_set (path, ".[], ;", -1) : NULL;

  for (guint i = 0; parts != NULL && parts[i] != NULL; i++)
    if (*parts[i] != '\0' && strlen (parts[i]) <= FAL_NAMES_MAX_BYTES)
      g_quark_from_string (parts[i]);
}

GQuark
fal_names_admit (FalNames *names, const gchar *name)
{
  GQuark known = g_quark_try_string (name);

  if (known != 0)
    return known;
  if (strlen (name) > FAL_NAMES_MAX_BYTES)
    return 0;
  if (names == NULL)
    return g_quark_from_string (name);
  if (names->left == 0 || !fal_text_is_visible (name))
    return 0;
  names->left--;
  return g_quark_from_string (name);
}

void
fal_names_note_dropped (FalNames *names)
{
  if (names != NULL)
    names->dropped++;
}

guint64
fal_names_take_dropped (FalNames *names)
{
  guint64 dropped = names != NULL ? names->dropped : 0;

  if (names != NULL)
    names->dropped = 0;
  return dropped;
}
