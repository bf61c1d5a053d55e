/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shares: before anything changes, the time up to then is shared out. Parts of a microsecond
 * are nobody's, so that the sum is never more than the time that the connection stood. */
#include "shares.h"

typedef struct {
  gpointer user;
  gboolean uses;
  gint64 time; /* µs that it pays for, up to the time that was shared out */
} Member;

struct _FalShares {
  GArray *members; /* Member */
  gint64 since;    /* the time before was shared out; 0: no connection stands */
};

gdouble
fal_paid_time_get (const FalPaidTime *paid, gint64 now)
{
  if (paid->since == 0)
    return paid->time;
  return paid->time + paid->rate * MAX (now - paid->since, 0);
}

/* Of its time that goes by. */
static gdouble
get_rate (const FalPaidTime *paid)
{
  return paid->since != 0 ? paid->rate : 0;
}

void
fal_paid_time_add (FalPaidTime *sum, const FalPaidTime *paid, gint64 now)
{
  gboolean open = sum->since != 0 || paid->since != 0;

  *sum = (FalPaidTime) {
    .time = (gint64) (fal_paid_time_get (sum, now) + fal_paid_time_get (paid, now)),
    .since = open ? now : 0,
    .rate = get_rate (sum) + get_rate (paid),
  };
}

FalShares *
fal_shares_new (void)
{
  FalShares *shares = g_new0 (FalShares, 1);

  shares->members = g_array_new (FALSE, FALSE, sizeof (Member));
  return shares;
}

void
fal_shares_free (FalShares *shares)
{
  g_array_unref (shares->members);
  g_free (shares);
}

static Member *
get_member (const FalShares *shares, guint i)
{
  return &g_array_index (shares->members, Member, i);
}

/* How many use the connection. */
static guint
count_users (const FalShares *shares)
{
  guint n = 0;

  for (guint i = 0; i < shares->members->len; i++)
    n += get_member (shares, i)->uses;
  return n;
}

/* Among how many the time is shared; 0: it is not the member's to pay for. */
static guint
get_parts (const FalShares *shares, const Member *member)
{
  guint users = count_users (shares);

  if (users == 0)
    return shares->members->len;
  return member->uses ? users : 0;
}

static void
share_out (FalShares *shares, gint64 now)
{
  gint64 time = now - shares->since;

  if (shares->since == 0 || time <= 0)
    return;
  for (guint i = 0; i < shares->members->len; i++) {
    Member *member = get_member (shares, i);
    guint parts = get_parts (shares, member);

    if (parts > 0)
      member->time += time / parts;
  }
  shares->since = now;
}

void
fal_shares_join (FalShares *shares, gpointer user, gint64 now)
{
  const Member member = { .user = user, .uses = TRUE };

  share_out (shares, now);
  g_array_append_val (shares->members, member);
}

void
fal_shares_leave (FalShares *shares, gpointer user, gint64 now)
{
  share_out (shares, now);
  for (guint i = 0; i < shares->members->len; i++)
    if (get_member (shares, i)->user == user)
      g_array_remove_index (shares->members, i--);
}

static Member *
find (const FalShares *shares, gpointer user)
{
  for (guint i = 0; i < shares->members->len; i++)
    if (get_member (shares, i)->user == user)
      return get_member (shares, i);
  return NULL;
}

void
fal_shares_set_use (FalShares *shares, gpointer user, gboolean uses, gint64 now)
{
  Member *member = find (shares, user);

  g_return_if_fail (member != NULL);
  share_out (shares, now);
  member->uses = uses;
}

void
fal_shares_open (FalShares *shares, gint64 now)
{
  share_out (shares, now);
  shares->since = now;
}

void
fal_shares_close (FalShares *shares, gint64 now)
{
  share_out (shares, now);
  shares->since = 0;
}

void
fal_shares_get (const FalShares *shares, gpointer user, FalPaidTime *paid)
{
  const Member *member = find (shares, user);
  guint parts;

  g_return_if_fail (member != NULL);
  parts = get_parts (shares, member);
  *paid = (FalPaidTime) { member->time, shares->since, 0 };
  if (shares->since != 0 && parts > 0)
    paid->rate = 1.0 / parts;
}
