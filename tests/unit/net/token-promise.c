/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The promise: answers meet whoever asked, or nobody. */
#include "fal/net/token-promise.h"

typedef struct {
  guint answers;
  gchar *token;
} Asker;

static void
on_answered (gpointer user, const gchar *token)
{
  Asker *asker = user;

  asker->answers++;
  g_free (asker->token);
  asker->token = g_strdup (token);
}

static void
drain (GMainContext *context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
}

static void
test_the_scope_is_kept (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (FalTokenPromise) promise =
      fal_token_promise_new ("a/b/realtime", context, on_answered, NULL);

  g_assert_cmpstr (fal_token_promise_get_scope (promise), ==, "a/b/realtime");
}

static void
test_an_answer_comes_in_the_askers_context (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Asker asker = { 0 };
  g_autoptr (FalTokenPromise) promise = fal_token_promise_new ("a", context, on_answered, &asker);

  fal_token_promise_answer (promise, "abc");
  g_assert_cmpuint (asker.answers, ==, 0);
  drain (context);
  g_assert_cmpuint (asker.answers, ==, 1);
  g_assert_cmpstr (asker.token, ==, "abc");
  g_free (asker.token);
}

static void
test_only_the_first_answer_counts (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Asker asker = { 0 };
  g_autoptr (FalTokenPromise) promise = fal_token_promise_new ("a", context, on_answered, &asker);

  fal_token_promise_answer (promise, NULL);
  fal_token_promise_answer (promise, "late");
  drain (context);
  fal_token_promise_answer (promise, "later");
  drain (context);
  g_assert_cmpuint (asker.answers, ==, 1);
  g_assert_null (asker.token);
}

static void
test_after_a_cancel_nobody_is_told (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Asker asker = { 0 };
  g_autoptr (FalTokenPromise) early = fal_token_promise_new ("a", context, on_answered, &asker);
  g_autoptr (FalTokenPromise) late = fal_token_promise_new ("a", context, on_answered, &asker);

  fal_token_promise_answer (early, "abc");
  fal_token_promise_cancel (early);
  fal_token_promise_cancel (late);
  fal_token_promise_answer (late, "abc");
  drain (context);
  g_assert_cmpuint (asker.answers, ==, 0);
}

/* A late answer does not keep a context alive that nobody runs any more. */
static void
test_a_cancelled_question_holds_no_context (void)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GSource) source = g_idle_source_new ();
  g_autoptr (FalTokenPromise) promise = fal_token_promise_new ("a", context, on_answered, NULL);

  g_source_attach (source, context);
  fal_token_promise_cancel (promise);
  g_main_context_unref (context);
  g_assert_true (g_source_is_destroyed (source)); /* with its context */
  fal_token_promise_answer (promise, "abc");
}

static gpointer
answer (gpointer data)
{
  fal_token_promise_answer (data, "abc");
  fal_token_promise_unref (data);
  return NULL;
}

static void
test_threads_answer_and_askers_go (void)
{
  for (guint i = 0; i < 500; i++) {
    GMainContext *context = g_main_context_new ();
    Asker asker = { 0 };
    FalTokenPromise *promise = fal_token_promise_new ("a", context, on_answered, &asker);
    GThread *thread = g_thread_new ("answer", answer, fal_token_promise_ref (promise));

    if (i % 2) {
      while (asker.answers == 0)
        g_main_context_iteration (context, TRUE);
      g_assert_cmpstr (asker.token, ==, "abc");
    }
    fal_token_promise_cancel (promise);
    drain (context);
    g_assert_cmpuint (asker.answers, ==, i % 2);
    fal_token_promise_unref (promise);
    g_main_context_unref (context);
    g_thread_join (thread);
    g_free (asker.token);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/promise/" #name, test_##name)
  ADD (the_scope_is_kept);
  ADD (an_answer_comes_in_the_askers_context);
  ADD (only_the_first_answer_counts);
  ADD (after_a_cancel_nobody_is_told);
  ADD (a_cancelled_question_holds_no_context);
  ADD (threads_answer_and_askers_go);
  return g_test_run ();
}
