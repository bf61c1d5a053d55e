/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that a user has set, as a snapshot.
 *
 * A snapshot never changes: setting a property makes a new one. So whoever holds a reference may
 * read it on any thread without a lock. */
#pragma once

#include "app-profiles.h"
#include "fal/wire/protocol.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Of all properties, and one: ids begin at 1. A multiple of 64. */
#define FAL_SETTINGS_MAX_PROPERTIES 128

/* Made by fal_settings_new() and fal_settings_with() only. Each field is a property, in the unit of
 * that property: milliseconds unless noted. */
typedef struct {
  guint64 version; /* of two snapshots of one element, the later has the larger one */
  guint64 set[FAL_SETTINGS_MAX_PROPERTIES / 64]; /* a bit for the id of each that was set */
  const FalAppProfile *profile; /* no property: what is known of the app, see below */

  gchar *app, *path, *base_uri;
  gchar *token, *api_key, *api_key_file, *token_uri, *token_proxy_uri;
  FalKeyOrigin api_key_origin; /* no property: where @api_key came from */
  FalAuth auth;
  FalTokenRequest token_request;
  guint token_expiration; /* seconds */
  gboolean allow_insecure;
  gchar *connection_key;
  guint connections;

  GTlsCertificateFlags tls_validation_flags;
  GTlsDatabase *tls_database;
  gchar *proxy, *user_agent;
  GstStructure *extra_headers;

  gboolean enabled;
  guint throttle_interval, max_buffering, max_in_flight, block_size;
  gboolean throttle_upstream;
  guint change_threshold; /* levels; 0: every frame is sent */
  guint max_unchanged_time;
  FalLeaky leaky;

  gchar *prompt, *negative_prompt;
  gint64 seed;
  gint num_inference_steps;
  gdouble strength, guidance_scale;
  GstStructure *parameters;
  gchar *parameters_json;

  gchar *image_field, *result_field;
  FalImageEncoding image_encoding;
  FalMessageEncoding encoding;
  FalRequestId request_id;
  gboolean app_defaults;
  gchar *start_fields, *feedback_fields;
  gboolean wait_for_ready, server_streaming;
  gchar *result_hosts;
  gboolean post_messages;

  gchar *region;
  guint region_margin; /* percent */
  FalRegionAbsent region_absent;
  guint width, height;
  FalFit fit;
  gint quality;

  guint64 max_message_size; /* bytes */
  guint max_pixels;

  FalTimestampMode timestamp_mode;
  gint latency;
  FalLatencyMode latency_mode;
  guint max_latency;
  FalFraction output_framerate; /* 0/1: results go out as they come */
  FalTransition transition;

  FalFallbackMode fallback;
  guint fallback_timeout;

  FalCompositeMode composite;
  FalCompositeFrames composite_frames;
  guint feather; /* pixels */
  gchar *background;
  guint64 max_held_bytes;

  guint connect_timeout, request_timeout, drain_timeout, idle_timeout;
  guint session_limit; /* seconds */
  gdouble price_per_second, price_per_request, budget; /* in any one currency; 0: none */
  gint retries;
  guint retry_delay, max_retry_delay;
} FalSettings;

/* The defaults, with the key and the host that the environment gives. */
FalSettings *fal_settings_new (void);
FalSettings *fal_settings_ref (FalSettings *settings);
void fal_settings_unref (FalSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalSettings, fal_settings_unref)

/* A copy of @settings in which property @id has @value, of the next version. */
FalSettings *fal_settings_with (const FalSettings *settings, guint id, const GValue *value);
/* The same as if the input @id of the model had never been set. */
FalSettings *fal_settings_without (const FalSettings *settings, guint id);

/* What is known of the app; with app-defaults off, the profile of an unknown one. Static. */
const FalAppProfile *fal_settings_get_app_profile (const FalSettings *settings);

/* The path that was set, else the app profile's; NULL: the usual one. */
const gchar *fal_settings_get_path (const FalSettings *settings);

/* The inputs of a request without its picture. The named properties go over parameters, that over
 * parameters-json, and that over the inputs of the app profile. One that was not set is absent.
 * Error: G_IO_ERROR_INVALID_ARGUMENT, parameters-json cannot be parsed. */
GstStructure *fal_settings_get_parameters (const FalSettings *settings, GError **error);

/* A budget cannot be held without a price: error G_IO_ERROR_INVALID_ARGUMENT. */
gboolean fal_settings_check_budget (const FalSettings *settings, GError **error);

/* How frames are encoded: with the app profile's size and quality where none was set. */
FalEncoderConfig fal_settings_get_encoder_config (const FalSettings *settings);

/* What of a request does not change from frame to frame, with "auto" resolved. Its text is borrowed
 * from @settings. */
FalRequest fal_settings_get_request (const FalSettings *settings);

/* Where the pictures are in a result; NULL: in the usual fields. Borrowed. */
const gchar *fal_settings_get_result_field (const FalSettings *settings);

/* The names of the inputs that only the first message of a connection has, and of the fields that
 * each request takes from the last result: separated by commas, borrowed, or NULL. */
const gchar *fal_settings_get_start_fields (const FalSettings *settings);
const gchar *fal_settings_get_feedback_fields (const FalSettings *settings);

/* Whether requests wait until the app says that it is ready. */
gboolean fal_settings_waits_for_ready (const FalSettings *settings);

/* Whether a request may have more results after its first. */
gboolean fal_settings_is_streaming (const FalSettings *settings);

/* The least time between two requests, in milliseconds. */
guint fal_settings_get_throttle_interval (const FalSettings *settings);

/* How many frames the app answers together; 0: it answers each. The first block of a connection may
 * be smaller. */
guint fal_settings_get_block_size (const FalSettings *settings);
guint fal_settings_get_first_block (const FalSettings *settings);

/* Whether the first message of a connection is no request: an app that takes blocks begins with a
 * picture in a field of its own, and counts the frames that follow. */
gboolean fal_settings_opens_first (const FalSettings *settings);

/* Whether every frame comes out, and not those alone that have a result. */
gboolean fal_settings_shows_all_frames (const FalSettings *settings);

/* How results are laid on frames. */
FalOverlayConfig fal_settings_get_overlay_config (const FalSettings *settings);

/* What background says. Error: G_IO_ERROR_INVALID_ARGUMENT, with the forms that it may have. */
gboolean fal_settings_get_background (
    const FalSettings *settings, FalBackground *background, GError **error);

/* Whether a request id is sent. */
gboolean fal_settings_sends_request_id (const FalSettings *settings);

G_END_DECLS
