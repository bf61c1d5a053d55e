/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The composer: settings, feedback and a frame in, the bytes of a request out. Used by the send
 * thread alone. */
#include "request-builder.h"
#include "fal/image/encoder.h"
#include "fal/wire/value.h"

struct _FalRequestBuilder {
  FalEncoder *encoder;
  FalSettings *settings;
  GstStructure *inputs; /* that the last good settings have */
};

FalRequestBuilder *
fal_request_builder_new (void)
{
  FalRequestBuilder *composer = g_new0 (FalRequestBuilder, 1);

  composer->encoder = fal_encoder_new ();
  return composer;
}

void
fal_request_builder_free (FalRequestBuilder *composer)
{
  fal_encoder_free (composer->encoder);
  g_clear_pointer (&composer->settings, fal_settings_unref);
  g_clear_pointer (&composer->inputs, gst_structure_free);
  g_free (composer);
}

gboolean
fal_request_builder_set_settings (
    FalRequestBuilder *composer, FalSettings *settings, GError **error)
{
  g_autoptr (FalSettings) old = composer->settings;
  GstStructure *inputs;

  composer->settings = fal_settings_ref (settings);
  if (settings == old)
    return TRUE;
  inputs = fal_settings_get_parameters (settings, error);
  if (inputs == NULL) /* told once */
    return old && g_strcmp0 (old->parameters_json, settings->parameters_json) == 0;
  g_clear_pointer (&composer->inputs, gst_structure_free);
  composer->inputs = inputs;
  return TRUE;
}

static gchar **
split_names (const gchar *names)
{
  gchar **list = g_strsplit (names ? names : "", ",", -1);

  for (guint i = 0; list[i] != NULL; i++)
    g_strstrip (list[i]);
  return list;
}

/* Start fields go with a connection's first message alone; there, one that no input has takes the
 * picture. */
static void
apply_start_fields (
    const FalRequestBuilder *composer, gboolean first, GstStructure *inputs, gchar **image_field)
{
  g_auto (GStrv) names = split_names (fal_settings_get_start_fields (composer->settings));

  for (guint i = 0; names[i] != NULL; i++) {
    gboolean is_input = fal_value_get_path (inputs, names[i]) != NULL;

    if (!first)
      gst_structure_remove_field (inputs, names[i]);
    else if (!is_input && *names[i] != '\0') {
      g_free (*image_field);
      *image_field = g_strdup (names[i]);
    }
  }
}

static GstStructure *
collect_inputs (const FalRequestBuilder *composer, const FalRequestParts *composition)
{
  GstStructure *inputs = gst_structure_copy (composer->inputs);

  if (composition->feedback)
    fal_value_merge (inputs, composition->feedback);
  if (composition->inputs)
    fal_value_merge (inputs, composition->inputs);
  return inputs;
}

static GBytes *
encode_elsewhere (const FalRequestParts *composition, const FalRequest *request)
{
  g_autoptr (GstStructure) map = NULL;

  if (composition->encode == NULL)
    return NULL;
  map = gst_structure_copy (request->parameters);
  if (request->request_id)
    gst_structure_set (map, "request_id", G_TYPE_STRING, request->request_id, NULL);
  return composition->encode (composition->user, map, request->image);
}

GBytes *
fal_request_builder_build (
    FalRequestBuilder *composer, const FalRequestParts *composition, GError **error)
{
  FalEncoderConfig config = fal_settings_get_encoder_config (composer->settings);
  FalRequest request = fal_settings_get_request (composer->settings);
  g_autofree gchar *image_field = g_strdup (request.image_field);
  g_autoptr (GstStructure) inputs = NULL;
  g_autoptr (GBytes) image = NULL;
  GBytes *message;

  image = fal_encoder_encode (
      composer->encoder, composition->sample, &config, &request.media_type, error);
  if (image == NULL)
    return NULL;
  inputs = collect_inputs (composer, composition);
  apply_start_fields (composer, composition->first, inputs, &image_field);
  request.parameters = inputs;
  request.image_field = image_field;
  request.image = image;
  request.request_id = composition->request_id;
  message = encode_elsewhere (composition, &request);
  return message ? message : fal_protocol_encode_request (&request, error);
}

GstStructure *
fal_request_builder_pick (const GstStructure *fields, const gchar *names)
{
  g_auto (GStrv) list = split_names (names);
  g_autoptr (GstStructure) picked = gst_structure_new_empty ("map");

  for (guint i = 0; fields != NULL && list[i] != NULL; i++) {
    const GValue *value = *list[i] ? fal_value_get_path (fields, list[i]) : NULL;
    GValue copy = G_VALUE_INIT;

    if (value == NULL)
      continue;
    g_value_init (&copy, G_VALUE_TYPE (value));
    g_value_copy (value, &copy);
    fal_value_take_path (picked, list[i], &copy);
  }
  return gst_structure_n_fields (picked) > 0 ? g_steal_pointer (&picked) : NULL;
}
