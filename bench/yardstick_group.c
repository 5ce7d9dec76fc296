#include "yardstick.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { kGroupMax = 64 };  // jobs of one commit

struct request {
  int64_t tenant;
  bool done;
  pthread_cond_t wake;
  struct request* next;
};

struct yardstick_group {
  struct yardstick* yardstick;
  pthread_mutex_t mutex;
  bool leading;  // a commit is under way
  struct request* first;
  struct request** end;
};

struct yardstick_group* yardstick_group_open(struct yardstick* yardstick) {
  struct yardstick_group* group = calloc(1, sizeof *group);
  if (group == NULL) abort();
  group->yardstick = yardstick;
  group->end = &group->first;
  pthread_mutex_init(&group->mutex, NULL);
  return group;
}

void yardstick_group_close(struct yardstick_group* group) {
  pthread_mutex_destroy(&group->mutex);
  free(group);
}

// Commits everybody who waits. Called and left with the mutex held.
static void lead(struct yardstick_group* group, const void* payload, size_t size) {
  struct request* batch[kGroupMax];
  int64_t tenants[kGroupMax];
  size_t count = 0;
  for (; count < kGroupMax && group->first != NULL; group->first = group->first->next) batch[count++] = group->first;
  if (group->first == NULL) group->end = &group->first;
  pthread_mutex_unlock(&group->mutex);
  for (size_t i = 0; i < count; ++i) tenants[i] = batch[i]->tenant;
  yardstick_enqueue(group->yardstick, tenants, count, payload, size);
  pthread_mutex_lock(&group->mutex);
  for (size_t i = 0; i < count; ++i) {
    batch[i]->done = true;
    pthread_cond_signal(&batch[i]->wake);
  }
}

void yardstick_group_enqueue(struct yardstick_group* group, int64_t tenant, const void* payload, size_t size) {
  struct request request = {.tenant = tenant, .done = false, .next = NULL};
  pthread_cond_init(&request.wake, NULL);
  pthread_mutex_lock(&group->mutex);
  *group->end = &request;
  group->end = &request.next;
  while (!request.done && (group->leading || group->first != &request)) pthread_cond_wait(&request.wake, &group->mutex);
  if (!request.done) {
    group->leading = true;
    lead(group, payload, size);
    group->leading = false;
    if (group->first != NULL) pthread_cond_signal(&group->first->wake);
  }
  pthread_mutex_unlock(&group->mutex);
  pthread_cond_destroy(&request.wake);
}
