#pragma once

#include "daemon.hpp"
#include "fault_list.hpp"
#include "faulty_run.hpp"
#include "root.hpp"
#include "run_watch.hpp"
#include "templates.hpp"
#include "watched_store.hpp"

#include <tenure/jobs/perform.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/testing/world.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

// What a world is made of: for its own sources.
namespace tenure::testing {

struct World::Impl {
  explicit Impl(World& world, WorldOptions of_test);

  // Of those that are due now.
  [[nodiscard]] std::set<queue::JobId> due_jobs();
  // Performs what is due and chosen, of `only` alone where it is given, while time goes on to `until` where that is given.
  Runs perform_due(const DrainOptions& drain, const std::set<queue::JobId>* only,
                   std::optional<Instant> until);
  // What stayed in outboxes when the queue could not be written. Whether anything came.
  bool sweep_outboxes();
  // A client has written to the queue.
  void written();
  // In a child process of the one that made the world, which had no database open: it goes on over this folder and queue, without faults.
  // Client and tenants stay where they are. `of_clients`, which outlives it, is the queue as clients have it.
  void move_in_child(const std::filesystem::path& folder, std::unique_ptr<queue::Store> queue,
                     queue::Store& of_clients);

  WorldOptions options;
  detail::Root root;
  VirtualClock clock;
  std::unique_ptr<queue::Store> store;
  detail::FaultList fault_list;
  detail::WatchedStore watched;
  HandleCache handles;
  std::shared_ptr<const TenantTemplate> tenant_template;
  Tenants tenants;
  Client client;
  JobRegistry jobs;
  std::vector<std::string> left_open;  // by handlers
  PerformerOptions performing;
  Performer performer;
  Faults faults;
  const std::thread::id thread = std::this_thread::get_id();
  detail::Daemon* daemon = nullptr;         // while jobs are performed
  detail::RunWatch* watch = nullptr;        // of daemons that begin
  detail::FaultyRun* faulty_run = nullptr;  // of the job that is performed
  bool is_inline = false;
  Runs runs;
  std::optional<TenantScope> default_scope;

 private:
  [[nodiscard]] TenantsOptions tenants_options() const {
    return {.application = options.application, .migrations = options.migrations};
  }
  [[nodiscard]] TenantFiles tenant_files() const;
  [[nodiscard]] HandleCacheOptions handle_options() const;
  [[nodiscard]] PerformerOptions performer_options();
  [[nodiscard]] ClientOptions client_options() const {
    return {.application = options.application, .stores_in_call = true};
  }
  queue::AttemptEnd perform(const queue::AssignedJob& job, queue::RunNotes& notes);
  [[nodiscard]] std::vector<std::string> queues() const;
  [[nodiscard]] bool is_chosen(const queue::ClaimedJob& job, const DrainOptions& drain);
  // `inside`: whose scope the caller is in, where that makes a difference.
  Runs perform_once(const DrainOptions& drain, const std::set<queue::JobId>* only,
                    std::optional<Instant> until, const std::optional<TenantName>& inside = std::nullopt);
  bool sweep(const std::vector<queue::OutboxMark>& marks);
};

}  // namespace tenure::testing
