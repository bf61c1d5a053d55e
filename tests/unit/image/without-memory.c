/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory ends somewhere in a work of this floor: at each request for it once. The work fails with
 * an error, or does without, and whoever goes on with the same objects finds them in order. */
#include "../scarce-memory.h"
#include "fal/image/camera-picture.h"
#include "fal/image/difference.h"
#include "fal/image/fallback-picture.h"
#include "fal/image/image-file.h"
#include "fal/image/overlay-caps.h"
#include "fal/image/overlay.h"
#include "overlay-reference.h"
#include "test-codec.h"
#include "test-pictures.h"

#include <gio/gio.h>

/* What a work has, each of them made anew for it. */
typedef struct {
  FalOverlay *overlay;
  FalEncoder *encoder;
  FalDecoder *decoder;
  FalFallbackPicture *fallback;
} Tools;

/* One piece of work; FALSE with @error: it could not be done. */
typedef gboolean (*Work) (Tools *tools, gconstpointer data, GError **error);

static Tools
tools_new (void)
{
  return (Tools) { fal_overlay_new (), fal_encoder_new (), fal_decoder_new (),
    fal_fallback_picture_new () };
}

static void
tools_free (Tools *tools)
{
  fal_overlay_free (tools->overlay);
  fal_encoder_free (tools->encoder);
  fal_decoder_free (tools->decoder);
  fal_fallback_picture_free (tools->fallback);
}

/* FALSE: the work asks for memory less often. */
static gboolean
do_without (guint number, Work work, gconstpointer data)
{
  Tools tools = tools_new ();
  g_autoptr (GError) error = NULL, later = NULL;
  gboolean done, failed;

  scarce_memory_fail (number);
  done = work (&tools, data, &error);
  failed = scarce_memory_has_failed ();
  g_assert_true (done == (error == NULL));
  g_assert_true (done || failed);
  scarce_memory_fail (0);
  done = work (&tools, data, &later);
  g_assert_no_error (later);
  g_assert_true (done);
  tools_free (&tools);
  return failed;
}

static void
do_without_memory (Work work, gconstpointer data)
{
  guint number = 1;

  while (do_without (number, work, data))
    number++;
  g_test_message ("%u requests", number - 1);
  g_assert_cmpuint (number, >, 1);
}

static guint
get_stripe (gpointer user, guint component, gint x, gint y)
{
  return (x + y) % 16 < 8 ? 40 : 200;
}

static GstSample *
make_picture (const gchar *format, gint width, gint height)
{
  g_autoptr (GstCaps) caps = make_frame_caps (format, width, height, NULL);

  return make_frame (caps, get_stripe, NULL);
}

/* ---- Results on frames ---- */

typedef struct {
  const gchar *frame, *result;
  FalOverlayConfig config;
  const gchar *output; /* formats that downstream takes */
} Composite;

static const Composite composites[] = {
  { "I420", "RGBA", { FAL_COMPOSITE_OVER, 4, FAL_FIT_CROP }, "I420" },
  { "Y41B", "RGBx", { FAL_COMPOSITE_OVER, 0, FAL_FIT_LETTERBOX }, "Y41B" },
  { "RGB", "RGBA", { FAL_COMPOSITE_OVER, 4, FAL_FIT_STRETCH }, "RGB" },
  { "I420_10LE", "RGBA", { FAL_COMPOSITE_OVER, 4, FAL_FIT_CROP }, "I420_10LE" },
  { "I420", "GRAY8", { FAL_COMPOSITE_MATTE }, "A420" },
  { "RGBx", "RGBx", { FAL_COMPOSITE_MATTE }, "RGBA" },
  { "I420", "RGBA", { FAL_COMPOSITE_MATTE_OVER, .background = { FALSE, 0xff0000ff } }, "I420" },
  { "NV12", "GRAY8", { FAL_COMPOSITE_MATTE_OVER, .background = { TRUE } }, "NV12" },
};

/* The later layer lies on the same place, so that both are blended. */
static gboolean
compose (Tools *tools, gconstpointer data, GError **error)
{
  const Composite *c = data;
  const FalArea area = { 6, 4, 80, 60 };
  const FalLayout layout = { 40, 30, 1, 1, area, { 0, 0, 40, 30 } };
  g_autofree gchar *downstream = g_strdup_printf ("video/x-raw,format=%s", c->output);
  g_autoptr (GstCaps) allowed = gst_caps_from_string (downstream);
  g_autoptr (GstSample) frame = make_picture (c->frame, 100, 70);
  g_autoptr (GstSample) result = make_picture (c->result, 40, 30);
  GstCaps *caps = gst_sample_get_caps (frame);
  g_autoptr (GstCaps) output = fal_overlay_make_caps (caps, allowed, &c->config, error);
  g_autoptr (FalLayer) layer =
      fal_overlay_make_layer (tools->overlay, result, &layout, caps, &c->config, error);
  g_autoptr (FalLayer) next =
      layer ? fal_overlay_make_layer (tools->overlay, result, &layout, caps, &c->config, error)
            : NULL;
  g_autoptr (GstBuffer) buffer = NULL;

  if (next == NULL)
    return FALSE;
  buffer = fal_overlay_apply (tools->overlay, frame, output, layer, next, 100, NULL, error);
  return buffer != NULL;
}

static void
test_results_on_frames (gconstpointer data)
{
  do_without_memory (compose, data);
}

/* ---- Frames to pictures ---- */

static const gchar *const sent[] = { "I420", "NV12", "YUY2", "RGB", "RGBx", "ARGB64", "GRAY8" };

static gboolean
encode_part (Tools *tools, gconstpointer format, GError **error)
{
  const FalEncoderConfig config = { 48, 40, FAL_FIT_LETTERBOX, 80, .part = { 3, 5, 70, 50 } };
  g_autoptr (GstSample) frame = make_picture (format, 100, 70);
  const gchar *media_type = NULL;
  FalLayout layout;
  g_autoptr (GBytes) jpeg =
      fal_encoder_encode (tools->encoder, frame, &config, &media_type, &layout, error);

  return jpeg != NULL;
}

static void
test_frames_to_pictures (gconstpointer format)
{
  do_without_memory (encode_part, format);
}

/* Of a frame that is a picture already. */
static gboolean
encode_part_of_picture (Tools *tools, gconstpointer picture, GError **error)
{
  const FalEncoderConfig config = { .quality = 80, .part = { 3, 5, 20, 10 } };
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes ((GBytes *) picture);
  g_autoptr (GstCaps) caps = gst_caps_from_string ("image/jpeg,width=40,height=30");
  g_autoptr (GstSample) frame = gst_sample_new (buffer, caps, NULL, NULL);
  const gchar *media_type = NULL;
  g_autoptr (GBytes) jpeg =
      fal_encoder_encode (tools->encoder, frame, &config, &media_type, NULL, error);

  return jpeg != NULL;
}

static void
test_pictures_to_pictures (void)
{
  g_autoptr (GBytes) picture = plain_jpeg (40, 30, RED, 0);

  do_without_memory (encode_part_of_picture, picture);
}

/* ---- Pictures to frames ---- */

typedef struct {
  GBytes *picture;
  GstCaps *allowed;
} Decoding;

static gboolean
decode_to (Tools *tools, gconstpointer data, GError **error)
{
  const Decoding *d = data;
  const FalDecoderConfig config = {
    .allowed = d->allowed, .max_pixels = MAX_PIXELS, .fps_n = 25, .fps_d = 1
  };
  g_autoptr (GstCaps) made = NULL;
  g_autoptr (GstBuffer) buffer =
      fal_decoder_decode (tools->decoder, d->picture, &config, &made, error);

  return buffer != NULL;
}

static void
test_pictures_to_frames (gconstpointer caps)
{
  g_autofree guint8 *cmyk = repeat_pixel ((const guint8 *) "\xff\0\0\xff", 4, 40, 30);
  g_autoptr (GBytes) plain = plain_jpeg (40, 30, RED, 0);
  g_autoptr (GBytes) inked = write_jpeg (cmyk, 40, 30, TJPF_CMYK, TJSAMP_444, 0);
  g_autoptr (GstCaps) allowed = gst_caps_from_string (caps);

  do_without_memory (decode_to, &(Decoding) { plain, allowed });
  do_without_memory (decode_to, &(Decoding) { inked, allowed });
}

static gboolean
make_black (Tools *tools, gconstpointer data, GError **error)
{
  const FalEncoderConfig config = { .quality = 80 };
  g_autoptr (GstSample) frame = make_picture ("I420", 100, 70);
  FalLayout layout;
  g_autoptr (GBytes) picture = fal_fallback_picture_make (
      tools->fallback, FAL_FALLBACK_BLACK, frame, &config, &layout, error);

  return picture != NULL;
}

static void
test_a_picture_in_an_outage (void)
{
  do_without_memory (make_black, NULL);
}

/* ---- What only asks ---- */

/* A camera's picture without its end; without memory it counts as one that is broken. */
static void
test_a_camera_s_picture (void)
{
  g_autofree guint8 *pixels = repeat_pixel ((const guint8 *) "\xff\0\0", 3, 160, 120);
  g_autoptr (GBytes) whole = write_jpeg (pixels, 160, 120, TJPF_RGB, TJSAMP_420, 0);
  g_autoptr (GBytes) open = g_bytes_new_from_bytes (whole, 0, g_bytes_get_size (whole) - 2);
  guint number = 0;

  do {
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) checked = NULL;
    FalImageFileInfo info;

    scarce_memory_fail (++number);
    checked = fal_camera_picture_check (open, &info, &error);
    if (checked == NULL)
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    g_assert_true (checked != NULL || scarce_memory_has_failed ());
  } while (scarce_memory_has_failed ());
  scarce_memory_fail (0);
  g_assert_cmpuint (number, >, 1);
}

/* Then a picture is compared by its bytes, not by its blocks. */
static void
test_a_comparison (void)
{
  g_autoptr (FalDifference) difference = fal_difference_new ();
  g_autoptr (GBytes) picture = plain_jpeg (160, 120, RED, 0);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (picture);
  g_autoptr (GstCaps) caps = gst_caps_from_string ("image/jpeg,width=160,height=120");
  g_autoptr (GstSample) frame = gst_sample_new (buffer, caps, NULL, NULL);
  guint number = 0;

  do {
    g_autoptr (FalSignature) signature = NULL;

    scarce_memory_fail (++number);
    signature = fal_difference_reduce (difference, frame, &(FalArea) { 0 });
    g_assert_nonnull (signature);
    g_assert_true ((fal_signature_get_mean (signature, 0, 0) < 0) == scarce_memory_has_failed ());
  } while (scarce_memory_has_failed ());
  scarce_memory_fail (0);
  g_assert_cmpuint (number, >, 1);
}

int
main (int argc, char **argv)
{
  static const gchar *const decoded[] = { "video/x-raw,format=RGBx", "video/x-raw,format=GRAY8",
    "video/x-raw,format=I420", "video/x-raw,format=Y444" };

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define NAME "/without-memory/"
  for (guint i = 0; i < G_N_ELEMENTS (composites); i++) {
    g_autofree gchar *name =
        g_strdup_printf (NAME "results-on-frames/%u-%s", i, composites[i].frame);

    g_test_add_data_func (name, &composites[i], test_results_on_frames);
  }
  for (guint i = 0; i < G_N_ELEMENTS (sent); i++) {
    g_autofree gchar *name = g_strconcat (NAME "frames-to-pictures/", sent[i], NULL);

    g_test_add_data_func (name, sent[i], test_frames_to_pictures);
  }
  for (guint i = 0; i < G_N_ELEMENTS (decoded); i++) {
    g_autofree gchar *name = g_strdup_printf (NAME "pictures-to-frames/%u", i);

    g_test_add_data_func (name, decoded[i], test_pictures_to_frames);
  }
  g_test_add_func (NAME "pictures-to-pictures", test_pictures_to_pictures);
  g_test_add_func (NAME "a-picture-in-an-outage", test_a_picture_in_an_outage);
  g_test_add_func (NAME "a-camera-s-picture", test_a_camera_s_picture);
  g_test_add_func (NAME "a-comparison", test_a_comparison);
  return g_test_run ();
}
