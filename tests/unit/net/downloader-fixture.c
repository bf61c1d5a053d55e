/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "downloader-fixture.h"

#include "fal/settings/properties.h"

#include <string.h>

/* The second address of this machine stands for one that is private. */
static gboolean
is_allowed (GInetAddress *address)
{
  g_autofree gchar *text = g_inet_address_to_string (address);

  return strcmp (text, "127.0.0.2") != 0;
}

static gboolean
on_watchdog (gpointer data)
{
  g_error ("nothing happens any more");
  return G_SOURCE_REMOVE;
}

static void
get_nothing (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
}

static void
set_nothing (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
}

static void
settings_class_init (gpointer class, gpointer data)
{
  G_OBJECT_CLASS (class)->get_property = get_nothing;
  G_OBJECT_CLASS (class)->set_property = set_nothing;
  fal_properties_install (class);
}

/* Settings know their fields once a class has installed them as properties. */
static void
install_settings (void)
{
  static GType type;

  if (type != 0)
    return;
  gst_init (NULL, NULL);
  type = g_type_register_static_simple (G_TYPE_OBJECT, "Settings", sizeof (GObjectClass),
      settings_class_init, sizeof (GObject), NULL, 0);
  g_type_class_ref (type); /* for ever */
}

static void
set_string (gchar **field, const gchar *text)
{
  g_free (*field);
  *field = g_strdup (text);
}

/* Time counts from here. */
static void
start_watchdog (Fixture *fixture)
{
  g_clear_handle_id (&fixture->watchdog, g_source_remove);
  fixture->watchdog = g_timeout_add_seconds (WATCHDOG, on_watchdog, NULL);
}

void
configure (Fixture *fixture)
{
  g_autoptr (FalSettings) settings = fal_settings_new ();

  set_string (&settings->result_hosts, fixture->hosts);
  set_string (&settings->proxy, fixture->proxy);
  set_string (&settings->user_agent, "test/1");
  settings->max_message_size = fixture->max_size;
  settings->request_timeout = fixture->timeout;
  settings->tls_validation_flags = fixture->validation;
  g_set_object (&settings->tls_database, fixture->database);
  fal_downloader_configure (fixture->downloader, settings);
}

void
renew_downloader (Fixture *fixture)
{
  start_watchdog (fixture);
  g_clear_pointer (&fixture->downloader, fal_downloader_free);
  fixture->downloader = fal_downloader_new ();
  fal_downloader_set_address_check (fixture->downloader, is_allowed);
  configure (fixture);
}

static GTlsDatabase *
load_authority (void)
{
  g_autofree gchar *ca = g_strdup_printf ("%s/tls/ca.pem", g_getenv ("FAL_TEST_DATA"));
  GError *error = NULL;
  GTlsDatabase *database = g_tls_file_database_new (ca, &error);

  g_assert_no_error (error);
  return database;
}

void
set_up (Fixture *fixture, gconstpointer data)
{
  install_settings ();
  fixture->host = picture_host_new ();
  fixture->resolver = fake_resolver_new ();
  g_resolver_set_default (G_RESOLVER (fixture->resolver));
  fixture->database = load_authority ();
  fixture->hosts = g_strdup_printf ("*.fal.media:%u", fixture->host->port);
  fixture->max_size = MAX_SIZE;
  fixture->timeout = 1000 * WATCHDOG;
  fixture->validation = G_TLS_CERTIFICATE_VALIDATE_ALL;
  renew_downloader (fixture);
}

void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->downloader, fal_downloader_free);
  picture_host_free (fixture->host);
  g_source_remove (fixture->watchdog);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_object_unref (fixture->resolver);
  g_object_unref (fixture->database);
  g_clear_error (&fixture->error);
  g_free (fixture->hosts);
}

static void
on_downloaded (gpointer user, GBytes *picture, const GError *error)
{
  Fixture *fixture = user;

  g_assert_true ((picture == NULL) != (error == NULL));
  g_assert_nonnull (fixture->downloader);
  fixture->answers++;
  fixture->pictures += picture != NULL;
  fixture->size = picture ? g_bytes_get_size (picture) : 0;
  g_clear_error (&fixture->error);
  fixture->error = error ? g_error_copy (error) : NULL;
  if (error != NULL)
    g_test_message ("%s", error->message);
  if (fixture->frees_when_told)
    g_clear_pointer (&fixture->downloader, fal_downloader_free);
}

void
start_download (Fixture *fixture, const gchar *host, const gchar *path)
{
  g_autofree gchar *link = g_strdup_printf ("https://%s:%u%s", host, fixture->host->port, path);

  fal_downloader_start (fixture->downloader, link, on_downloaded, fixture);
}

void
await_answers (Fixture *fixture, guint n)
{
  start_watchdog (fixture);
  while (fixture->answers < n)
    g_main_context_iteration (NULL, TRUE);
}

void
download (Fixture *fixture, const gchar *host, const gchar *path)
{
  start_download (fixture, host, path);
  await_answers (fixture, fixture->answers + 1);
}

void
assert_failed (Fixture *fixture, GQuark domain, gint code, const gchar *named)
{
  g_assert_error (fixture->error, domain, code);
  g_assert_nonnull (strstr (fixture->error->message, named));
  g_assert_null (strstr (fixture->error->message, "hush"));
}
