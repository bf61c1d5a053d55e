/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns on a shared connection; users are letters, messages too, times literal. */
#include "fal/policy/request-turns.h"

#define MS G_TIME_SPAN_MILLISECOND

static gpointer
user_of (gchar letter)
{
  return GINT_TO_POINTER ((gint) letter);
}

static void
push (FalRequestTurns *turns, gchar user, gint64 now)
{
  g_autoptr (GBytes) message = g_bytes_new (&user, 1);

  fal_request_turns_push (turns, user_of (user), message, now);
}

/* Whose message goes now; ' ': none. */
static gchar
take (FalRequestTurns *turns, gint64 now)
{
  gpointer user = NULL;
  g_autoptr (GBytes) message = fal_request_turns_take (turns, now, &user);

  if (message == NULL)
    return ' ';
  g_assert_cmpint (*(const gchar *) g_bytes_get_data (message, NULL), ==, GPOINTER_TO_INT (user));
  return GPOINTER_TO_INT (user);
}

/* Whom the order says a reply is for; '-': one that has left, ' ': nobody. */
static gchar
answer_in_order (FalRequestTurns *turns, gint64 now)
{
  gboolean known;
  gpointer user = fal_request_turns_peek_oldest (turns, &known);

  fal_request_turns_answer_oldest (turns, user, now);
  return !known ? ' ' : user == NULL ? '-' : GPOINTER_TO_INT (user);
}

static void
answer (FalRequestTurns *turns, gchar user, gint64 now)
{
  fal_request_turns_answer (turns, user_of (user), now);
}

static FalRequestTurns *
make (const gchar *members)
{
  FalRequestTurns *turns = fal_request_turns_new ();

  for (; *members != '\0'; members++)
    fal_request_turns_join (turns, user_of (*members));
  return turns;
}

static void
test_alone_everything_goes_at_once (void)
{
  g_autoptr (FalRequestTurns) turns = make ("a");

  push (turns, 'a', 0);
  push (turns, 'a', 0);
  g_assert_cmpint (take (turns, 0), ==, 'a');
  g_assert_cmpint (take (turns, 0), ==, 'a');
  g_assert_cmpint (take (turns, 0), ==, ' ');
  g_assert_cmpint (answer_in_order (turns, 0), ==, 'a');
  g_assert_cmpint (answer_in_order (turns, 0), ==, 'a');
  g_assert_cmpint (answer_in_order (turns, 0), ==, ' ');
}

/* ---- without ids ---- */

static void
test_without_ids_one_is_out_at_a_time (void)
{
  g_autoptr (FalRequestTurns) turns = make ("ab");

  push (turns, 'a', 0);
  push (turns, 'b', 0);
  push (turns, 'a', 0);
  g_assert_cmpint (take (turns, 0), ==, 'a');
  g_assert_cmpint (take (turns, 0), ==, ' ');
  g_assert_cmpint (answer_in_order (turns, 10 * MS), ==, 'a');
  g_assert_cmpint (take (turns, 10 * MS), ==, 'b');
  g_assert_cmpint (take (turns, 10 * MS), ==, ' ');
  g_assert_cmpint (answer_in_order (turns, 20 * MS), ==, 'b');
  g_assert_cmpint (take (turns, 20 * MS), ==, 'a');
  g_assert_cmpint (fal_request_turns_next_time (turns, 20 * MS), ==, G_MAXINT64);
}

/* Whoever has more messages waiting does not go more often for that. */
static void
test_without_ids_they_alternate (void)
{
  g_autoptr (FalRequestTurns) turns = make ("ab");
  g_autoptr (GString) sent = g_string_new (NULL);

  for (guint i = 0; i < 4; i++)
    push (turns, 'a', 0);
  for (gint64 now = 0; now < 80 * MS; now += 10 * MS) {
    push (turns, 'b', now);
    g_string_append_c (sent, take (turns, now));
    answer_in_order (turns, now + 10 * MS);
  }
  g_assert_cmpstr (sent->str, ==, "abababab");
}

static void
test_a_leaver_is_answered_to_nobody (void)
{
  g_autoptr (FalRequestTurns) turns = make ("ab");

  push (turns, 'a', 0);
  push (turns, 'b', 0);
  push (turns, 'a', 0);
  g_assert_cmpint (take (turns, 0), ==, 'a');
  fal_request_turns_forget (turns, user_of ('a'));
  g_assert_cmpint (take (turns, 0), ==, 'b');
  g_assert_cmpint (take (turns, 0), ==, ' ');
  g_assert_cmpint (answer_in_order (turns, 0), ==, '-');
  g_assert_cmpint (answer_in_order (turns, 0), ==, 'b');
}

static void
test_a_lost_connection_forgets_all (void)
{
  g_autoptr (FalRequestTurns) turns = make ("ab");

  push (turns, 'a', 0);
  push (turns, 'b', 0);
  g_assert_cmpint (take (turns, 0), ==, 'a');
  fal_request_turns_clear (turns);
  g_assert_cmpint (take (turns, 0), ==, ' ');
  g_assert_cmpint (answer_in_order (turns, 0), ==, ' ');
}

/* ---- with ids ---- */

/* Both have been answered, a model that has no network before it takes 20 ms: now is 40 ms, and
 * each has sent one request. */
static FalRequestTurns *
make_busy (void)
{
  FalRequestTurns *turns = make ("ab");

  push (turns, 'a', 0);
  g_assert_cmpint (take (turns, 0), ==, 'a');
  answer (turns, 'a', 20 * MS);
  push (turns, 'b', 20 * MS);
  g_assert_cmpint (take (turns, 20 * MS), ==, 'b');
  answer (turns, 'b', 40 * MS);
  return turns;
}

static void
test_with_ids_both_are_out (void)
{
  g_autoptr (FalRequestTurns) turns = make_busy ();

  push (turns, 'a', 40 * MS);
  push (turns, 'b', 40 * MS);
  g_assert_cmpint (take (turns, 40 * MS), ==, 'a');
  g_assert_cmpint (take (turns, 40 * MS), ==, 'b');
}

static void
test_who_is_ahead_waits_for_the_other (void)
{
  g_autoptr (FalRequestTurns) turns = make_busy ();

  for (guint i = 0; i < 3; i++)
    push (turns, 'a', 40 * MS);
  push (turns, 'b', 40 * MS);
  g_assert_cmpint (take (turns, 40 * MS), ==, 'a');
  g_assert_cmpint (take (turns, 40 * MS), ==, 'b');
  g_assert_cmpint (take (turns, 40 * MS), ==, 'a');
  answer (turns, 'a', 60 * MS);
  answer (turns, 'b', 80 * MS);
  /* The third would be two ahead: it waits, though nothing of the other does just now. */
  g_assert_cmpint (take (turns, 81 * MS), ==, ' ');
  push (turns, 'b', 83 * MS);
  g_assert_cmpint (take (turns, 83 * MS), ==, 'b');
  g_assert_cmpint (take (turns, 83 * MS), ==, 'a');
}

static void
test_a_model_without_work_is_given_some (void)
{
  g_autoptr (FalRequestTurns) turns = make_busy ();

  push (turns, 'a', 40 * MS);
  g_assert_cmpint (take (turns, 40 * MS), ==, 'a');
  answer (turns, 'a', 60 * MS);
  push (turns, 'a', 60 * MS);
  g_assert_cmpint (take (turns, 60 * MS), ==, 'a');
  /* That was counted as one ahead, not as two: the other need not be waited for twice. */
  push (turns, 'b', 61 * MS);
  push (turns, 'a', 61 * MS);
  g_assert_cmpint (take (turns, 61 * MS), ==, 'b');
  g_assert_cmpint (take (turns, 61 * MS), ==, 'a');
}

/* Three are out and a model takes 20 ms: where the last had to wait for that of less than half a
 * request, one more than three may find room. */
static void
test_a_model_that_was_nearly_without_work_is_given_more (void)
{
  static const struct {
    gint64 answered;
    guint more;
  } rows[] = { { 63, 3 }, { 64, 2 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalRequestTurns) turns = make_busy ();
    gint64 now = rows[i].answered * MS;
    guint n = 0;

    for (const gchar *user = "aba"; *user != '\0'; user++)
      push (turns, *user, 40 * MS);
    for (const gchar *user = "aba"; *user != '\0'; user++)
      g_assert_cmpint (take (turns, 40 * MS), ==, *user);
    answer (turns, 'a', 60 * MS);
    answer (turns, 'b', 62 * MS);
    answer (turns, 'a', now);
    for (guint k = 0; k < 5; k++)
      push (turns, 'a', now);
    while (take (turns, now) == 'a')
      n++;
    g_assert_cmpuint (n, ==, rows[i].more);
  }
}

/* Who has nothing to send holds nobody up for longer than a round trip. */
static void
test_who_pauses_is_not_waited_for (void)
{
  g_autoptr (FalRequestTurns) turns = make_busy ();

  for (guint i = 0; i < 4; i++)
    push (turns, 'a', 40 * MS);
  g_assert_cmpint (take (turns, 40 * MS), ==, 'a');
  g_assert_cmpint (take (turns, 40 * MS), ==, ' ');
  g_assert_cmpint (fal_request_turns_next_time (turns, 40 * MS), ==, 60 * MS);
  g_assert_cmpint (take (turns, 60 * MS), ==, 'a');
  g_assert_cmpint (take (turns, 60 * MS), ==, 'a');
  g_assert_cmpint (take (turns, 60 * MS), ==, 'a');
  g_assert_cmpint (fal_request_turns_next_time (turns, 60 * MS), ==, G_MAXINT64);
}

/* The other way round: a's request has been out since 40 ms. */
static void
test_neither_member_is_waited_for_while_it_pauses (void)
{
  g_autoptr (FalRequestTurns) turns = make_busy ();

  push (turns, 'a', 40 * MS);
  for (guint i = 0; i < 4; i++)
    push (turns, 'b', 40 * MS);
  g_assert_cmpint (take (turns, 40 * MS), ==, 'a');
  while (take (turns, 40 * MS) == 'b')
    ;
  g_assert_cmpint (fal_request_turns_next_time (turns, 40 * MS), ==, 80 * MS);
}

/* Its own took 100 ms, when the newest answer came after 51: its next one may come as soon as that.
 */
static void
test_who_was_answered_late_is_waited_for_as_long (void)
{
  g_autoptr (FalRequestTurns) turns = make_busy ();

  push (turns, 'a', 40 * MS);
  g_assert_cmpint (take (turns, 40 * MS), ==, 'a');
  for (guint i = 0; i < 2; i++) {
    push (turns, 'b', 90 * MS);
    g_assert_cmpint (take (turns, 90 * MS), ==, 'b');
  }
  answer (turns, 'a', 140 * MS);
  answer (turns, 'b', 141 * MS);
  push (turns, 'b', 141 * MS);
  g_assert_cmpint (fal_request_turns_next_time (turns, 141 * MS), ==, 191 * MS);
}

/* Of three, who has sent as many keeps nobody back. */
static void
test_only_who_sent_fewer_is_waited_for (void)
{
  g_autoptr (FalRequestTurns) turns = make ("abc");

  for (const gchar *user = "abc"; *user != '\0'; user++) {
    push (turns, *user, 0);
    take (turns, 0);
    answer (turns, *user, 20 * MS);
  }
  for (const gchar *user = "aac"; *user != '\0'; user++) {
    push (turns, *user, 25 * MS);
    g_assert_cmpint (take (turns, 25 * MS), ==, *user);
  }
  push (turns, 'a', 25 * MS);
  g_assert_cmpint (take (turns, 25 * MS), ==, ' ');
  g_assert_cmpint (fal_request_turns_next_time (turns, 25 * MS), ==, 40 * MS); /* b's, not c's */
}

/* Member a sends, and nobody else does. Returns when it is over. */
static gint64
play_alone (FalRequestTurns *turns)
{
  gint64 now;

  for (now = 40 * MS; now < 1000 * MS; now += 20 * MS) {
    push (turns, 'a', now);
    g_assert_cmpint (take (turns, now), ==, 'a');
    answer (turns, 'a', now + 20 * MS);
  }
  return now;
}

static void
test_a_pause_gives_no_credit (void)
{
  g_autoptr (FalRequestTurns) turns = make_busy ();
  g_autoptr (GString) sent = g_string_new (NULL);
  gint64 now = play_alone (turns);

  for (guint i = 0; i < 4; i++) {
    push (turns, 'a', now);
    push (turns, 'b', now);
  }
  for (gchar user; (user = take (turns, now)) != ' ';)
    g_string_append_c (sent, user);
  g_assert_cmpstr (sent->str, ==, "baababab");
}

/* What it sent while the other one did not, it owes nobody. */
static void
test_a_pause_leaves_no_debt (void)
{
  g_autoptr (FalRequestTurns) turns = make_busy ();
  g_autoptr (GString) sent = g_string_new (NULL);
  gint64 now = play_alone (turns);

  now += 1000 * MS;
  push (turns, 'b', now);
  g_assert_cmpint (take (turns, now), ==, 'b');
  for (guint i = 0; i < 4; i++) {
    push (turns, 'b', now);
    push (turns, 'a', now);
  }
  for (gchar user; (user = take (turns, now)) != ' ';)
    g_string_append_c (sent, user);
  g_assert_cmpstr (sent->str, ==, "abababab");
}

/* An app may never answer what it was asked. */
static void
test_what_is_lost_holds_nobody_for_ever (void)
{
  g_autoptr (FalRequestTurns) turns = make_busy ();

  push (turns, 'b', 40 * MS);
  g_assert_cmpint (take (turns, 40 * MS), ==, 'b');
  for (guint i = 0; i < 8; i++)
    push (turns, 'a', 40 * MS);
  while (take (turns, 40 * MS) == 'a')
    ;
  g_assert_cmpint (fal_request_turns_next_time (turns, 40 * MS), ==, 80 * MS);
  g_assert_cmpint (take (turns, 80 * MS), ==, 'a');
}

/* ---- a model, simulated ---- */

/* A model that works on one request after the other, and members that always have a frame. Its
 * time goes in steps of a millisecond. */
typedef struct {
  gint64 trip, service; /* of the network, there and back, and of the model, ms */
  guint members;
  guint window[2]; /* requests of a member that may be without an answer */
  gint64 encoding; /* ms from an answer, or a message, to the next message */
  gboolean free;   /* for comparison: everything goes at once */
} World;

typedef struct {
  guint unanswered;
  gint64 next; /* when its next message is made */
  guint sent, answered;
} Player;

typedef struct {
  guint player;
  gint64 due;
} Reply;

typedef struct {
  World world;
  FalRequestTurns *turns;
  Player players[2];
  GQueue replies; /* Reply, in order */
  gint64 free_at; /* when the model has done all that came */
  guint ahead;    /* the most that one had sent more than the other, since counting began */
  gboolean counts;
} Simulation;

static void
transmit (Simulation *simulation, guint player, gint64 now)
{
  const World *world = &simulation->world;
  Reply *reply = g_new (Reply, 1);
  const Player *players = simulation->players;

  simulation->free_at = MAX (simulation->free_at, now + world->trip / 2) + world->service;
  *reply = (Reply){ player, simulation->free_at + world->trip / 2 };
  g_queue_push_tail (&simulation->replies, reply);
  if (!simulation->counts)
    return;
  simulation->players[player].sent++;
  simulation->ahead =
      MAX (simulation->ahead, (guint) ABS ((gint) players[0].sent - (gint) players[1].sent));
}

static void
send_next (Simulation *simulation, gint64 now)
{
  gchar user;

  while ((user = take (simulation->turns, now * MS)) != ' ')
    transmit (simulation, user - 'a', now);
}

static void
take_replies (Simulation *simulation, gint64 now)
{
  const Reply *reply;

  while ((reply = g_queue_peek_head (&simulation->replies)) != NULL && reply->due <= now) {
    Player *player = &simulation->players[reply->player];

    answer (simulation->turns, 'a' + reply->player, now * MS);
    player->unanswered--;
    player->answered += simulation->counts;
    player->next = MAX (player->next, now + simulation->world.encoding);
    send_next (simulation, now);
    g_free (g_queue_pop_head (&simulation->replies));
  }
}

static void
make_messages (Simulation *simulation, guint index, gint64 now)
{
  const World *world = &simulation->world;
  Player *player = &simulation->players[index];

  while (player->unanswered < world->window[index] && now >= player->next) {
    player->unanswered++;
    player->next = now + world->encoding;
    if (world->free)
      transmit (simulation, index, now);
    else
      push (simulation->turns, 'a' + index, now * MS);
    send_next (simulation, now);
  }
}

/* Ten seconds, after two in which it gets going. */
static Simulation
simulate (World world)
{
  Simulation simulation = { .world = world };

  simulation.turns = make (world.members == 1 ? "a" : "ab");
  fal_request_turns_clear (simulation.turns); /* as where a connection is made anew */
  for (gint64 now = 0; now < 12000; now++) {
    simulation.counts = now >= 2000;
    take_replies (&simulation, now);
    for (guint i = 0; i < world.members; i++)
      make_messages (&simulation, i, now);
    if (fal_request_turns_next_time (simulation.turns, now * MS) <= now * MS)
      send_next (&simulation, now);
  }
  g_queue_clear_full (&simulation.replies, g_free);
  fal_request_turns_free (simulation.turns);
  return simulation;
}

/* Calls @check for each world that the tests have. */
static void
foreach_world (guint members, void (*check) (World world))
{
  static const gint64 trips[] = { 0, 50, 100 };
  static const gint64 services[] = { 5, 20, 50 };

  for (guint row = 0; row < 9 * 2 * 16; row++) {
    World world = { trips[row % 3], services[row / 3 % 3], members };

    world.encoding = row / 9 % 2 * 3;
    world.window[0] = row / 18 % 4 + 1;
    world.window[1] = row / 72 + 1;
    if (members == 2 || world.window[1] == 1)
      check (world);
  }
}

static World
without_turns (World world)
{
  world.free = TRUE;
  return world;
}

static void
check_alone (World world)
{
  g_assert_cmpuint (simulate (world).players[0].answered, ==,
      simulate (without_turns (world)).players[0].answered);
}

static void
test_one_member_loses_nothing (void)
{
  foreach_world (1, check_alone);
}

static guint
sum (const Simulation *simulation)
{
  return simulation->players[0].answered + simulation->players[1].answered;
}

/* Answers in the ten seconds to a member that always has a frame, if it had the network and the
 * model for itself. */
static gdouble
get_most (const World *world, guint member)
{
  return 10000. * world->window[member] / (world->trip + world->service + world->encoding);
}

/* Whether a member with the smaller of the windows can use its half of the model, though one more
 * request than its own and as many of the other waits there. */
static gboolean
can_use_half (const World *world)
{
  guint window = MIN (world->window[0], world->window[1]);
  gint64 needed = world->trip + world->encoding + 2 * world->service;

  return world->trip == 0 || 2 * window * world->service >= needed;
}

/* All that can be had is had; who can use its half gets it, request for request; and who cannot,
 * since its window is too small for it, gets most of what it could have on a model of its own. */
static void
check_two (World world)
{
  Simulation simulation = simulate (world), reference = simulate (without_turns (world));
  gdouble half = 10000. / world.service / 2;

  g_test_message ("trip %d, service %d, encoding %d, windows %u and %u: %u + %u, without turns %u "
                  "+ %u, at most %u ahead",
      (gint) world.trip, (gint) world.service, (gint) world.encoding, world.window[0],
      world.window[1], simulation.players[0].answered, simulation.players[1].answered,
      reference.players[0].answered, reference.players[1].answered, simulation.ahead);
  g_assert_cmpfloat (sum (&simulation), >=, 0.95 * sum (&reference));
  for (guint i = 0; i < 2; i++)
    g_assert_cmpfloat (simulation.players[i].answered, >=, 0.65 * MIN (half, get_most (&world, i)));
  /* Counting may have begun where one was one ahead, so that the other may seem to be by two. */
  if (can_use_half (&world))
    g_assert_cmpuint (simulation.ahead, <=, 2);
}

static void
test_two_members_keep_the_model_busy_and_share_it (void)
{
  foreach_world (2, check_two);
}

/* On a new connection nothing of the old one goes, whoever it is of. */
static void
test_what_waits_is_forgotten_with_the_connection (void)
{
  g_autoptr (FalRequestTurns) turns = make ("ab");

  push (turns, 'a', 0);
  push (turns, 'b', 0);
  fal_request_turns_clear (turns);
  g_assert_cmpint (take (turns, 0), ==, ' ');
}

static void
test_the_order_of_256_requests_is_known (void)
{
  g_autoptr (FalRequestTurns) turns = make ("a");
  guint n = 0;

  for (guint i = 0; i < 300; i++) {
    push (turns, 'a', i);
    g_assert_cmpint (take (turns, i), ==, 'a');
  }
  while (answer_in_order (turns, 1000) == 'a')
    n++;
  g_assert_cmpuint (n, ==, 256);
}

/* Answers take 100 ms, and that to a's request of 100 ms never comes: it is given up after eight
 * times as long and a second. */
static void
test_a_request_that_was_lost_is_out_no_more (void)
{
  static const struct {
    gint64 now; /* µs, when b's next one is answered */
    gchar oldest;
  } rows[] = { { 1900 * MS, 'a' }, { 1900 * MS + 1, ' ' } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalRequestTurns) turns = make ("ab");

    push (turns, 'b', 0);
    g_assert_cmpint (take (turns, 0), ==, 'b');
    answer (turns, 'b', 100 * MS);
    push (turns, 'a', 100 * MS);
    g_assert_cmpint (take (turns, 100 * MS), ==, 'a');
    push (turns, 'b', rows[i].now - 100 * MS);
    g_assert_cmpint (take (turns, rows[i].now - 100 * MS), ==, 'b');
    answer (turns, 'b', rows[i].now);
    g_assert_cmpint (answer_in_order (turns, rows[i].now), ==, rows[i].oldest);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/turns/" #name, test_##name)
  ADD (alone_everything_goes_at_once);
  ADD (without_ids_one_is_out_at_a_time);
  ADD (without_ids_they_alternate);
  ADD (a_leaver_is_answered_to_nobody);
  ADD (a_lost_connection_forgets_all);
  ADD (with_ids_both_are_out);
  ADD (who_is_ahead_waits_for_the_other);
  ADD (a_model_without_work_is_given_some);
  ADD (a_model_that_was_nearly_without_work_is_given_more);
  ADD (who_pauses_is_not_waited_for);
  ADD (neither_member_is_waited_for_while_it_pauses);
  ADD (who_was_answered_late_is_waited_for_as_long);
  ADD (only_who_sent_fewer_is_waited_for);
  ADD (a_pause_gives_no_credit);
  ADD (a_pause_leaves_no_debt);
  ADD (what_is_lost_holds_nobody_for_ever);
  ADD (one_member_loses_nothing);
  ADD (two_members_keep_the_model_busy_and_share_it);
  ADD (what_waits_is_forgotten_with_the_connection);
  ADD (the_order_of_256_requests_is_known);
  ADD (a_request_that_was_lost_is_out_no_more);
  return g_test_run ();
}
