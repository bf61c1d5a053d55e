/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From where a picture may be fetched. Pure: used on any thread. A link comes from a server: what
 * is not plainly a name, a number or a port is refused here, so that no later reader of the same
 * link can take it for another one. */
#include "host-list.h"

#include <libsoup/soup.h>
#include <string.h>

#define HTTPS "https://"
#define HTTPS_PORT 443
#define MAX_LINK 8192
#define MAX_HOST 253
#define MAX_LABEL 63

/* "host", "host:port" or "[address]:port" taken apart; borrowed. */
typedef struct {
  const gchar *host; /* without brackets */
  gsize length;
  guint port;
  gboolean bracketed;
} Place;

/* ---- Places ---- */

static gboolean
read_port (const gchar *text, gsize length, guint *port)
{
  *port = 0;
  for (gsize i = 0; i < length && *port <= G_MAXUINT16; i++) {
    if (!g_ascii_isdigit (text[i]))
      return FALSE;
    *port = *port * 10 + (text[i] - '0');
  }
  return length > 0 && *port > 0 && *port <= G_MAXUINT16;
}

static gboolean
read_place (const gchar *text, gsize length, Place *place)
{
  const gchar *end = text + length;
  const gchar *host = text;
  const gchar *stop;

  place->bracketed = length > 0 && *text == '[';
  if (place->bracketed)
    host++;
  stop = memchr (host, place->bracketed ? ']' : ':', end - host);
  if (place->bracketed && stop == NULL)
    return FALSE;
  place->host = host;
  place->length = (stop ? stop : end) - host;
  place->port = HTTPS_PORT;
  if (place->bracketed)
    stop++;
  if (stop == NULL || stop == end)
    return TRUE;
  return *stop == ':' && read_port (stop + 1, end - stop - 1, &place->port);
}

/* Labels of letters, digits, hyphens and underscores, joined by single dots. */
static gboolean
is_name (const gchar *host, gsize length)
{
  gsize label = 0;

  if (length > MAX_HOST)
    return FALSE;
  for (gsize i = 0; i < length; i++) {
    if (host[i] == '.' && label == 0)
      return FALSE;
    if (host[i] != '.' && host[i] != '-' && host[i] != '_' && !g_ascii_isalnum (host[i]))
      return FALSE;
    label = host[i] == '.' ? 0 : label + 1;
    if (label > MAX_LABEL)
      return FALSE;
  }
  return label > 0;
}

/* "127.0.0.1", but also "127.1", "0x7f.1" and "2130706433", which resolvers take for the same: the
 * last label of a name begins with no digit. */
static gboolean
is_number (const Place *place)
{
  const gchar *dot = g_strrstr_len (place->host, place->length, ".");

  return place->bracketed || g_ascii_isdigit (dot ? dot[1] : *place->host);
}

static GInetAddress *
dup_address (const Place *place)
{
  g_autofree gchar *text = g_strndup (place->host, place->length);
  g_autoptr (GInetAddress) address = NULL;

  if (strchr (text, '%') == NULL)
    address = g_inet_address_new_from_string (text);
  if (address == NULL ||
      (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6) != place->bracketed)
    return NULL;
  return g_steal_pointer (&address);
}

/* ---- List ---- */

static gboolean
is_same_address (const Place *a, const Place *b)
{
  g_autoptr (GInetAddress) first = dup_address (a);
  g_autoptr (GInetAddress) second = dup_address (b);

  return first != NULL && second != NULL && g_inet_address_equal (first, second);
}

static gboolean
is_same_text (const gchar *a, const gchar *b, gsize length)
{
  return g_ascii_strncasecmp (a, b, length) == 0;
}

static gboolean
matches_name (const Place *entry, const Place *place)
{
  gsize tail = entry->length - 1;

  if (entry->length == 1 && *entry->host == '*')
    return TRUE;
  if (entry->length < 3 || entry->host[0] != '*' || entry->host[1] != '.')
    return entry->length == place->length && is_same_text (entry->host, place->host, place->length);
  return place->length > tail &&
         is_same_text (entry->host + 1, place->host + place->length - tail, tail);
}

static gboolean
matches (const gchar *text, const Place *place)
{
  Place entry;

  if (!read_place (text, strlen (text), &entry) || entry.port != place->port || entry.length == 0)
    return FALSE;
  return is_number (place) ? is_same_address (&entry, place) : matches_name (&entry, place);
}

static gboolean
is_listed (const gchar *list, const Place *place)
{
  g_auto (GStrv) entries = g_strsplit (list ? list : "", ",", -1);

  for (guint i = 0; entries[i] != NULL; i++) {
    if (matches (g_strstrip (entries[i]), place))
      return TRUE;
  }
  return FALSE;
}

/* ---- Link ---- */

static gboolean
is_plain (const gchar *uri)
{
  gsize length = strnlen (uri, MAX_LINK + 1);

  for (gsize i = 0; i < length; i++) {
    if (!g_ascii_isgraph (uri[i]) || uri[i] == '\\')
      return FALSE;
  }
  return length <= MAX_LINK;
}

/* What is wrong with the link as such, or NULL; @place is that of a link that is right. */
static const gchar *
find_flaw (const gchar *uri, Place *place)
{
  const gchar *authority = uri + strlen (HTTPS);
  gsize length;

  if (!is_plain (uri))
    return "is not a proper address";
  if (g_ascii_strncasecmp (uri, HTTPS, strlen (HTTPS)) != 0)
    return "does not begin with https://";
  length = strcspn (authority, "/?#");
  if (memchr (authority, '@', length) != NULL)
    return "holds a user or password";
  if (!read_place (authority, length, place))
    return "names no proper host";
  if (place->bracketed ? strspn (place->host, "0123456789abcdefABCDEF:.") != place->length
                       : !is_name (place->host, place->length))
    return "names no proper host";
  return NULL;
}

gboolean
fal_host_list_allows (const gchar *list, const gchar *uri, GError **error)
{
  Place place;
  const gchar *flaw = find_flaw (uri, &place);

  if (flaw != NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
        "it only links to its picture, and the link %s. Set sync_mode=true in parameters, so "
        "that the picture itself is sent.",
        flaw);
    return FALSE;
  }
  if (is_listed (list, &place))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "it only links to its picture, at host \"%.*s\", port %u, which is not in result-hosts. Set "
      "sync_mode=true in parameters, so that the picture itself is sent, or add the host to "
      "result-hosts.",
      (int) place.length, place.host, place.port);
  return FALSE;
}

/* GLib writes no address without a host whose path begins with two slashes. */
gchar *
fal_host_list_follow (GUri *from, const gchar *location)
{
  g_autoptr (GUri) next = g_uri_parse_relative (from, location, SOUP_HTTP_URI_FLAGS, NULL);

  return next != NULL && g_uri_get_host (next) != NULL ? g_uri_to_string (next) : NULL;
}
