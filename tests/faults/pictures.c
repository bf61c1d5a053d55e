/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results that are pictures of a strange kind, or none. The next frame's result must come out. */
#include "fault-table.h"
#include "odd-pictures.h"

#define ONE_PICTURE SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER }, { PEER_SERVE })
#define REFUSED STREAM (DECODE, "")

static const FaultRow refused[] = {
  { "not-a-picture", ONE_PICTURE, .picture = image_no_picture, .remark = REFUSED },
  { "nothing", ONE_PICTURE, .picture = image_empty, .remark = REFUSED },
  { "a-jpeg-of-gigapixels", ONE_PICTURE, .picture = image_jpeg_bomb, .remark = REFUSED },
  { "a-progressive-jpeg-of-gigapixels", ONE_PICTURE, .picture = image_progressive_bomb,
      .remark = REFUSED },
  { "a-jpeg-of-many-scans", ONE_PICTURE, .picture = image_scan_bomb, .remark = REFUSED },
  { "half-a-jpeg", ONE_PICTURE, .picture = image_truncated_jpeg, .remark = REFUSED },
  { "a-large-data-uri",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT },
          { PEER_SEND, BYTES ("\x82\x7f\0\0\0\0\0\xb7\x1b\x2d") },
          { PEER_SEND, .bytes = "{\"images\":[{\"url\":\"data:image/png;base64," },
          { PEER_SEND, .bytes = "AAAA", .times = 3000000 }, { PEER_SEND, .bytes = "\"}]}" },
          { PEER_SERVE }),
      .remark = REFUSED },
#ifdef HAVE_PNG
  { "a-png-of-gigapixels", ONE_PICTURE, .picture = image_png_bomb, .remark = REFUSED },
  { "a-png-without-pixels", ONE_PICTURE, .picture = image_png_within, .remark = REFUSED },
  { "half-a-png", ONE_PICTURE, .picture = image_truncated_png, .remark = REFUSED },
#endif
#ifdef HAVE_WEBP
  { "a-webp-of-gigapixels", ONE_PICTURE, .picture = image_webp_bomb, .remark = REFUSED },
  { "half-a-webp", ONE_PICTURE, .picture = image_truncated_webp, .remark = REFUSED },
#endif
};

/* All of them come with the content type image/jpeg: the bytes win. */
static const FaultRow taken[] = {
  { "a-grey-jpeg", ONE_PICTURE, .picture = image_grey_jpeg, .picture_size = "64x48" },
  { "a-cmyk-jpeg", ONE_PICTURE, .picture = image_cmyk_jpeg, .picture_size = "40x40" },
  { "one-pixel", ONE_PICTURE, .picture = image_tiny_jpeg, .picture_size = "1x1" },
  { "odd-sizes", ONE_PICTURE, .picture = image_odd_jpeg, .picture_size = "33x17" },
  { "a-broad-one", ONE_PICTURE, .picture = image_broad_jpeg, .picture_size = "4096x16" },
#ifdef HAVE_PNG
  { "a-png-of-16-bit", ONE_PICTURE, .picture = image_deep_png, .picture_size = "20x10" },
  { "a-png-with-palette-and-alpha", ONE_PICTURE, .picture = image_palette_png,
      .picture_size = "20x10" },
  { "an-animated-png", ONE_PICTURE, .picture = image_animated_png, .picture_size = "20x10" },
#endif
#ifdef HAVE_WEBP
  { "a-webp", ONE_PICTURE, .picture = image_webp, .picture_size = "256x256" },
#endif
};

int
main (int argc, char **argv)
{
  invariants_init (&argc, &argv);
  FAULT_TABLE_ADD ("pictures/refused", refused);
  FAULT_TABLE_ADD ("pictures/taken", taken);
  return g_test_run ();
}
