/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One call of the encoder or the decoder each, with what every result must satisfy. */
#pragma once

#include "test-frames.h"

#include "fal/image/decoder.h"
#include "fal/image/encoder.h"

#define MAX_PIXELS (16 * 1024 * 1024)
#define ANY_SIZE ((FalEncoderConfig){ .quality = 95 })

/* As a JPEG. */
GBytes *encode (GstSample *sample, const FalEncoderConfig *config);

typedef struct {
  GstBuffer *buffer;
  GstCaps *caps;
  GstVideoInfo info;
} Result;

void result_clear (Result *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Result, result_clear)

/* @allowed: caps as text. */
Result decode_with (FalDecoder *decoder, GBytes *picture, const gchar *allowed);
/* The same with a decoder of its own. */
Result decode (GBytes *picture, const gchar *allowed);

/* Of formats whose samples are 8 bits: the samples at @x, @y. */
void get_samples (const Result *result, gint x, gint y, guint8 out[4]);

/* The pixel in the middle is @colour, and opaque. */
void assert_decodes_to (
    GBytes *picture, const gchar *format, const Colour *colour, guint tolerance);
/* In each RGB format of 8 bits, and a grey one in GRAY8. */
void assert_decodes_everywhere (GBytes *picture, const Colour *colour);

void assert_field (GstCaps *caps, const gchar *field, const gchar *wanted);

void assert_not_decoded (GBytes *picture, const gchar *allowed, guint64 max_pixels, gint code);

/* Neither probed nor decoded. */
void assert_refused (GBytes *picture, guint64 max_pixels, gint code);
