/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which addresses belong to the public internet: tables of those that do not. Pure: used on any
 * thread. */
#include "public-address.h"

#include <string.h>

/* The first @bits of an address. */
typedef struct {
  guint8 bytes[16];
  guint bits;
} Range;

/* Not to be met in the public internet (IANA's registry of special addresses). */
static const Range special4[] = {
  { { 0 }, 8 },             /* this network */
  { { 10 }, 8 },            /* private */
  { { 100, 64 }, 10 },      /* behind a carrier's NAT */
  { { 127 }, 8 },           /* loopback */
  { { 169, 254 }, 16 },     /* link-local, and clouds' metadata */
  { { 172, 16 }, 12 },      /* private */
  { { 192, 0, 0 }, 24 },    /* protocols */
  { { 192, 0, 2 }, 24 },    /* examples */
  { { 192, 88, 99 }, 24 },  /* 6to4 relays */
  { { 192, 168 }, 16 },     /* private */
  { { 198, 18 }, 15 },      /* benchmarks */
  { { 198, 51, 100 }, 24 }, /* examples */
  { { 203, 0, 113 }, 24 },  /* examples */
  { { 224 }, 4 },           /* multicast */
  { { 240 }, 4 },           /* reserved, broadcast */
};

/* Of 2000::/3; nothing outside it is public. */
static const Range special6[] = {
  { { 0x20, 0x01 }, 23 },             /* protocols; Teredo is among those that wrap */
  { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* examples */
  { { 0x3f, 0xff }, 20 },             /* examples */
};

static const Range unicast6 = { { 0x20 }, 3 };

/* Where an IPv6 address wraps an IPv4 address, and whether it does so bit for bit inverted. */
static const struct {
  Range range;
  guint offset;
  gboolean inverted;
} wraps[] = {
  { { { 0 }, 96 }, 12 },                                        /* compatible, :: and ::1 */
  { { { [10] = 0xff, 0xff }, 96 }, 12 },                        /* mapped */
  { { { [8] = 0xff, 0xff }, 96 }, 12 },                         /* translated */
  { { { 0x00, 0x64, 0xff, 0x9b }, 96 }, 12 },                   /* NAT64 */
  { { { 0x20, 0x02 }, 16 }, 2 },                                /* 6to4 */
  { { { 0x20, 0x01, 0x00, 0x00 }, 32 }, 4 },                    /* Teredo's server */
  { { { 0x20, 0x01, 0x00, 0x00 }, 32 }, 12, .inverted = TRUE }, /* and its client */
};

static gboolean
is_in (const guint8 *bytes, const Range *range)
{
  guint whole = range->bits / 8;
  guint rest = range->bits % 8;

  return memcmp (bytes, range->bytes, whole) == 0 &&
         (rest == 0 || (bytes[whole] ^ range->bytes[whole]) >> (8 - rest) == 0);
}

static gboolean
is_in_any (const guint8 *bytes, const Range *ranges, guint n)
{
  while (n > 0 && !is_in (bytes, &ranges[n - 1]))
    n--;
  return n > 0;
}

static gboolean
is_public4 (const guint8 *bytes)
{
  return !is_in_any (bytes, special4, G_N_ELEMENTS (special4));
}

/* The end of an address may be made of an IPv4 address within a site (ISATAP). */
static gboolean
wraps_within_site (const guint8 *bytes)
{
  return (bytes[8] & ~2) == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe;
}

static gboolean
is_public6 (const guint8 *bytes)
{
  gboolean wrapped = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (wraps); i++) {
    guint8 inner[4];

    if (!is_in (bytes, &wraps[i].range))
      continue;
    for (guint j = 0; j < sizeof inner; j++)
      inner[j] = bytes[wraps[i].offset + j] ^ (wraps[i].inverted ? 0xff : 0);
    if (!is_public4 (inner))
      return FALSE;
    wrapped = TRUE;
  }
  if (wrapped)
    return TRUE;
  if (wraps_within_site (bytes) && !is_public4 (bytes + 12))
    return FALSE;
  return is_in (bytes, &unicast6) && !is_in_any (bytes, special6, G_N_ELEMENTS (special6));
}

gboolean
fal_address_is_public (GInetAddress *address)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);

  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4)
    return is_public4 (bytes);
  return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 && is_public6 (bytes);
}
