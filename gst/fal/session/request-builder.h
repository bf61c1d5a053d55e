/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns a frame into a request: the inputs, the encoded picture and the request id. Only the send
 * thread uses it, so it needs no lock. */
#pragma once

#include "fal/frame.h"
#include "fal/settings/settings.h"

G_BEGIN_DECLS

typedef struct _FalRequestBuilder FalRequestBuilder;

FalRequestBuilder *fal_request_builder_new (void);
void fal_request_builder_free (FalRequestBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalRequestBuilder, fal_request_builder_free)

/* The requests that follow are built by @settings. Error: parameters-json cannot be parsed, which
 * is told once; the requests then keep the inputs of the last settings that could be. */
gboolean fal_request_builder_set_settings (
    FalRequestBuilder *builder, FalSettings *settings, GError **error);

/* What differs from request to request. All is borrowed. */
typedef struct {
  /* Its info: the inputs of the frame's cue, which go over all but @inputs; or NULL. */
  GstSample *sample;
  FalArea part;            /* of the frame that is sent; without a size: all of it */
  FalLayout *layout;       /* set where the frame's picture is whole; or NULL */
  const gchar *request_id; /* NULL: none is sent */
  gboolean first;          /* the first request of its connection, which has the start fields */
  const GstStructure *feedback; /* from the last result; goes over the settings' inputs; or NULL */
  const GstStructure *inputs;   /* of this request alone; go over all others; or NULL */
  /* The application's own way to encode: gets the request without its picture, and the encoded
   * picture. Where it returns NULL, and where it is NULL, the request is encoded as usual. */
  GBytes *(*encode) (gpointer user, GstStructure *request, GBytes *image);
  gpointer user;
} FalRequestParts;

/* The request as the payload of one binary message. */
GBytes *fal_request_builder_build (
    FalRequestBuilder *builder, const FalRequestParts *parts, GError **error);

/* A copy of those @fields that @names lists: dotted names, separated by commas. Both may be NULL.
 * NULL: @fields has none of them. */
GstStructure *fal_request_builder_pick (const GstStructure *fields, const gchar *names);

G_END_DECLS
