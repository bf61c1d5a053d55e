/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer target: all that leads to an address. The lines of the input are base-uri, app, path
 * (an empty one is none), a token, result-hosts, a link of a result, where that redirects to, and
 * an address of the internet, as text or as its bytes. What is accepted must be read by libsoup and
 * the resolver as it was read here. */
#include "fal/net/host-list.h"
#include "fal/net/public-address.h"
#include "fal/settings/app-profiles.h"
#include "fal/wire/endpoint.h"
#include "fal/wire/visible-text.h"

#include <libsoup/soup.h>

#include <arpa/inet.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* ---- the endpoint ---- */

/* The token arrives as it is, and brings no other field of the query with it. */
static void
check_query (GUri *uri, const gchar *field, const gchar *value, guint fields)
{
  g_autoptr (GHashTable) query =
      g_uri_parse_params (g_uri_get_query (uri), -1, "&", G_URI_PARAMS_WWW_FORM, NULL);

  g_assert_nonnull (query);
  g_assert_cmpuint (g_hash_table_size (query), ==, fields);
  g_assert_cmpstr (g_hash_table_lookup (query, field), ==, value);
}

/* Of what libsoup makes of @text; to be freed. */
static GUri *
read_as_libsoup (const FalEndpoint *endpoint, const gchar *text)
{
  g_autoptr (SoupMessage) message = soup_message_new (SOUP_METHOD_GET, text);
  g_autoptr (GUri) base = g_uri_parse (endpoint->base_uri, G_URI_FLAGS_ENCODED_PATH, NULL);
  GUri *uri;

  if (message == NULL || base == NULL)
    g_error ("libsoup cannot read %s", text);
  uri = soup_message_get_uri (message);
  g_assert_cmpstr (g_uri_get_host (uri), ==, g_uri_get_host (base));
  g_assert_null (g_uri_get_userinfo (uri));
  g_assert_null (g_uri_get_fragment (uri));
  g_assert_true (g_str_has_suffix (g_uri_get_path (uri), endpoint->path));
  return g_uri_ref (uri);
}

static void
check_token (const FalEndpoint *endpoint, const gchar *token)
{
  g_autofree gchar *text = fal_endpoint_get_uri (endpoint, token, 3);
  g_autoptr (GUri) uri = read_as_libsoup (endpoint, text);

  if (g_utf8_validate (token, -1, NULL))
    check_query (uri, "fal_jwt_token", token, 2);
}

static void
check_key (const FalEndpoint *endpoint, const gchar *key)
{
  g_autofree gchar *text = fal_endpoint_get_key_uri (endpoint, key, 0);
  g_autoptr (GUri) uri = read_as_libsoup (endpoint, text);
  g_auto (GStrv) halves = g_strsplit (key, ":", 2);

  if (g_utf8_validate (key, -1, NULL))
    check_query (uri, "fal_key_id", halves[0] ? halves[0] : "", 2);
}

static gboolean
is_loopback (const gchar *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  return address ? g_inet_address_get_is_loopback (address)
                 : g_ascii_strcasecmp (host, "localhost") == 0;
}

/* What is said to be safe for secrets is, as libsoup reads it. */
static void
check_secrecy (const gchar *text)
{
  g_autoptr (GUri) uri = g_uri_parse (text, SOUP_HTTP_URI_FLAGS, NULL);
  const gchar *scheme = uri ? g_uri_get_scheme (uri) : NULL;

  if (!fal_endpoint_keeps_secrets (text) || uri == NULL)
    return;
  if (strcmp (scheme, "wss") != 0 && strcmp (scheme, "https") != 0)
    g_assert_true (is_loopback (g_uri_get_host (uri)));
}

static void
check_description (const gchar *uri)
{
  g_autofree gchar *text = fal_endpoint_describe_uri (uri);
  g_autoptr (GUri) told = text ? g_uri_parse (text, G_URI_FLAGS_ENCODED, NULL) : NULL;

  if (text == NULL)
    return;
  if (told == NULL || g_uri_get_userinfo (told) || g_uri_get_query (told) ||
      g_uri_get_fragment (told))
    g_error ("more is told of %s than its server: %s", uri, text);
}

static void
check_endpoint (const gchar *base_uri, const gchar *app, const gchar *path, const gchar *token)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FalEndpoint) endpoint = fal_endpoint_new (base_uri, app, path, &error);
  g_autoptr (FalEndpoint) again = NULL;
  g_autofree gchar *told = NULL;
  g_autofree gchar *meant = fal_app_profile_suggest (app);

  g_assert_true ((endpoint == NULL) == (error != NULL));
  check_secrecy (base_uri);
  check_description (base_uri);
  if (endpoint == NULL)
    return;
  g_assert_true (fal_endpoint_is_app (app));
  told = fal_endpoint_describe (endpoint);
  if (!fal_text_is_visible (told) || strpbrk (told, "?# ") != NULL)
    g_error ("an address that cannot be shown: %s", told);
  check_token (endpoint, token);
  check_key (endpoint, token);
  fal_endpoint_is_fal (endpoint);
  check_secrecy (endpoint->base_uri);
  again = fal_endpoint_new (endpoint->base_uri, app, path, NULL);
  g_assert_nonnull (again);
  g_assert_cmpstr (again->base_uri, ==, endpoint->base_uri);
}

/* ---- links ---- */

#define USUAL_HOSTS "*.fal.media,*.fal.ai,*.fal.run"

static gboolean
is_usual (const gchar *host)
{
  static const gchar *const ends[] = { ".fal.media", ".fal.ai", ".fal.run" };
  g_autofree gchar *lower = g_ascii_strdown (host, -1);

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    if (g_str_has_suffix (lower, ends[i]))
      return TRUE;
  return FALSE;
}

/* Whatever the C library's resolver takes for a number. */
static gboolean
is_number (const gchar *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);
  struct in_addr number;

  return address != NULL || inet_aton (host, &number) == 1;
}

static void check_link (
    const gchar *list, const gchar *link, guint redirects, const gchar *location);

static void
check_redirect (const gchar *list, GUri *uri, guint redirects, const gchar *location)
{
  g_autofree gchar *link = fal_host_list_follow (uri, location);

  if (link != NULL)
    check_link (list, link, redirects - 1, location);
}

/* What a list allows is read by libsoup as a link to a host that stands there. */
static void
check_link (const gchar *list, const gchar *link, guint redirects, const gchar *location)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GUri) uri = g_uri_parse (link, SOUP_HTTP_URI_FLAGS, NULL);
  gboolean allowed = fal_host_list_allows (list, link, &error);

  g_assert_true (allowed == (error == NULL));
  if (error != NULL && !fal_text_is_visible (error->message))
    g_error ("raw text: %s", error->message);
  if (uri == NULL || (!allowed && !fal_host_list_allows ("*", link, NULL)))
    return;
  g_assert_cmpstr (g_uri_get_scheme (uri), ==, "https");
  g_assert_null (g_uri_get_userinfo (uri));
  g_assert_nonnull (g_uri_get_host (uri));
  if (fal_host_list_allows (USUAL_HOSTS, link, NULL)) {
    g_assert_true (is_usual (g_uri_get_host (uri)));
    g_assert_true (g_uri_get_port (uri) == 443 || g_uri_get_port (uri) == -1);
  }
  if (fal_host_list_allows ("*", link, NULL))
    g_assert_false (is_number (g_uri_get_host (uri)));
  if (redirects > 0)
    check_redirect (list, uri, redirects, location);
}

/* ---- addresses ---- */

static gboolean
is_special (GInetAddress *address)
{
  return g_inet_address_get_is_any (address) || g_inet_address_get_is_loopback (address) ||
         g_inet_address_get_is_link_local (address) || g_inet_address_get_is_site_local (address) ||
         g_inet_address_get_is_multicast (address);
}

/* What wraps an address that is not public is not public. */
static void
check_wrapped (GInetAddress *inner)
{
  static const struct {
    guint8 bytes[16];
    guint offset;
  } wraps[] = {
    { { 0 }, 12 },
    { { [10] = 0xff, 0xff }, 12 },
    { { 0x00, 0x64, 0xff, 0x9b }, 12 },
    { { 0x20, 0x02 }, 2 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wraps); i++) {
    g_autoptr (GInetAddress) outer = NULL;
    guint8 bytes[16];

    memcpy (bytes, wraps[i].bytes, sizeof bytes);
    memcpy (bytes + wraps[i].offset, g_inet_address_to_bytes (inner), 4);
    outer = g_inet_address_new_from_bytes (bytes, G_SOCKET_FAMILY_IPV6);
    g_assert_true (fal_address_is_public (outer) == fal_address_is_public (inner));
  }
}

static void
check_address (const gchar *text)
{
  gsize size = strlen (text);
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);

  if (address == NULL && (size == 4 || size == 16))
    address = g_inet_address_new_from_bytes (
        (const guint8 *) text, size == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
  if (address == NULL)
    return;
  if (is_special (address))
    g_assert_false (fal_address_is_public (address));
  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4)
    check_wrapped (address);
}

/* ---- */

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *text = g_strndup ((const gchar *) data, size);
  g_auto (GStrv) given = g_strsplit (text, "\n", 8);
  const gchar *lines[8];

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    lines[i] = i < g_strv_length (given) ? given[i] : "";
  check_endpoint (lines[0], lines[1], *lines[2] ? lines[2] : NULL, lines[3]);
  check_link (lines[4], lines[5], 2, lines[6]);
  check_secrecy (lines[5]);
  check_description (lines[5]);
  check_address (lines[7]);
  return 0;
}
