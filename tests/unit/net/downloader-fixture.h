/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A downloader, a host of pictures on loopback and a resolver that leads each name there. */
#pragma once

#include "fake-resolver.h"
#include "fal/net/downloader.h"
#include "picture-host.h"

G_BEGIN_DECLS

#define MAX_SIZE 200000
#define WATCHDOG 120 /* seconds, for one step of a test */

typedef struct {
  PictureHost *host;
  FakeResolver *resolver;
  GTlsDatabase *database;
  FalDownloader *downloader;
  guint watchdog;

  /* what configure() gives the downloader */
  gchar *hosts;
  const gchar *proxy;
  guint64 max_size;
  guint timeout; /* ms */
  GTlsCertificateFlags validation;

  guint answers, pictures;
  gsize size;    /* of the last picture */
  GError *error; /* the last one */
  gboolean frees_when_told;
} Fixture;

void set_up (Fixture *fixture, gconstpointer data);
void tear_down (Fixture *fixture, gconstpointer data);

/* After a change to one of the fields for it. */
void configure (Fixture *fixture);

/* Frees the downloader, and makes another. */
void renew_downloader (Fixture *fixture);

/* From https://HOST:PORT and @path. */
void start_download (Fixture *fixture, const gchar *host, const gchar *path);
/* Until there are @n answers. */
void await_answers (Fixture *fixture, guint n);
/* Starts it, and waits for its end. */
void download (Fixture *fixture, const gchar *host, const gchar *path);

/* With the name of whom is to blame, and without a word of the link's path. */
void assert_failed (Fixture *fixture, GQuark domain, gint code, const gchar *named);

#define ADD(path, test) g_test_add (path, Fixture, NULL, set_up, test, tear_down)

G_END_DECLS
