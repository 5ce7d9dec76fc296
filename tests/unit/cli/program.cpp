#include "program.hpp"

#include <cstdio>
#include <fstream>

namespace tenure::cli {

Program::Program()
    : clock(from_us(kStart * 1'000'000)), store(queue::make_memory_store()), environment{.clock = clock} {
  // A file of its own, so that a configuration of this machine is not read.
  std::ofstream(folder / "tenure.toml")
      << "[application]\nname = \"billing\"\n[tenants]\npath = \"%{config_dir}/tenants/%{tenant}.db\"\n";
  std::filesystem::permissions(folder / "tenure.toml", std::filesystem::perms{0644});
  environment.variables = {{"TENURE_CONFIG", (folder / "tenure.toml").string()}};
  environment.who = [this] {
    ++identified;
    return who;
  };
  environment.read_line = [this] { return answer; };
  environment.open_store = [this](const queue::SqliteStoreOptions& options) {
    opened = options;
    return store;
  };
  environment.look_at_store = [this](const std::filesystem::path&) { return store; };
  environment.open_copy = queue::open_control_copy;
  environment.copy_store = [this](const std::filesystem::path& control, const std::filesystem::path& target,
                                  FunctionRef<void(const queue::CopyProgress&)> progress) {
    return queue::copy_control_database(control, target, clock, progress);
  };
  environment.look_at_schema = [](const std::filesystem::path&, queue::PageCheck) {
    queue::SchemaState state;
    state.version = state.newest = 1;
    return state;
  };
  environment.look_at_schema_of_copy = [](const std::filesystem::path& copy, queue::PageCheck pages) {
    return queue::look_at_schema_of_copy(copy, pages);
  };
  environment.pause = [this](std::chrono::milliseconds wait) {
    clock.advance(wait);
    return on_pause && on_pause();
  };
  environment.ask_daemon = [](const std::filesystem::path&, std::string_view,
                              std::chrono::milliseconds) -> tl::expected<std::string, FailedExchange> {
    return tl::unexpected(FailedExchange{FailedExchange::Why::nobody_listens, "Connection refused"});
  };
  environment.wake = [this](const std::filesystem::path&) { ++wakes; };
}

int Program::run(const std::vector<std::string>& arguments) {
  output.out.clear();
  output.error.clear();
  return run_cli(arguments, output, environment);
}

void Program::on_terminal(int columns) {
  environment.data_is_terminal = environment.messages_are_terminal = environment.answers_are_terminal = true;
  environment.columns = columns;
}

void Program::add_tenant(std::string_view name) {
  const auto record = value_or_raise(store->registry().begin_create(TenantName(name), clock.wall()));
  value_or_raise(store->registry().activate(record.name, record.generation));
}

queue::JobId Program::job_id(int seed) {
  std::array<char, 37> text{};
  std::snprintf(text.data(), text.size(), "019cadff-0000-7000-8000-%012d", seed);
  return queue::JobId{*Uuid::parse({text.data(), 36})};
}

BatchId Program::batch_id() { return {Uuid::parse("019cadff-0000-7000-8000-0000000000b1").value()}; }

void Program::open_batch(std::string_view tenant, std::string_view arguments) {
  queue::BatchCallback callback;
  callback.job.queue = "default";
  callback.job.kind = "report.send";
  callback.job.attempts_max = 3;
  callback.job.arguments = arguments;
  queue::NewBatch batch{.id = batch_id(), .tenant = TenantName{tenant}, .name = "import of 2026-03"};
  batch.on_complete = callback;
  callback.job.kind = "report.publish";
  batch.on_success = callback;
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(value_or_raise(writer.batches().open(batch, clock.wall())));
  });
}

void Program::close_batch() {
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.batches().close(batch_id(), clock.wall()));
  });
}

void Program::add_member(int seed, std::string_view tenant) {
  queue::NewJob job;
  job.id = job_id(seed);
  job.tenant = TenantName{tenant};
  job.queue = "default";
  job.kind = "import.file";
  job.due = clock.wall();
  job.attempts_max = 10;
  job.arguments = "{}";
  job.batch = batch_id();
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(value_or_raise(writer.enqueue(job, clock.wall())));
  });
}

void Program::add_job(int seed, std::string_view tenant, std::string_view kind, std::string_view arguments,
                      std::chrono::seconds due_in, std::string_view queue) {
  queue::NewJob job{.id = job_id(seed),
                    .tenant = std::nullopt,
                    .generation = {},
                    .queue = std::string(queue),
                    .kind = std::string(kind),
                    .priority = {},
                    .due = clock.wall() + due_in,
                    .attempts_max = 10,
                    .arguments = std::string(arguments)};
  if (tenant != "none") job.tenant = TenantName(tenant);
  store->write(queue::Durability::durable,
               [&](queue::StoreWriter& writer) { (void)value_or_raise(writer.enqueue(job, clock.wall())); });
}

queue::ClaimedJob Program::claim(int seed) {
  std::optional<queue::ClaimedJob> claimed;
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    if (incarnation_.value == 0) incarnation_ = writer.open_incarnation(1, "app-1", 812, clock.wall());
    for (const queue::Lane& lane : writer.reader().lanes(std::nullopt, 100)) {
      auto reply = writer.claim({.queue = lane.queue,
                                 .priority = lane.priority,
                                 .tenant = lane.tenant,
                                 .kinds = {{lane.kind, std::nullopt}},
                                 .count = 100,
                                 .incarnation = incarnation_,
                                 .first_counter = counter_ + 1,
                                 .process = queue::ProcessNumber{3}},
                                clock.wall());
      counter_ += std::ssize(reply.jobs);
      for (auto& each : reply.jobs) {
        if (each.id == job_id(seed)) claimed = each;
        else value_or_raise(writer.release({each.seq, each.token}, false, {}, clock.wall()));
      }
    }
  });
  if (!claimed) throw std::runtime_error("the job is not ready");
  return *claimed;
}

void Program::die(int seed, std::string_view error) {
  const queue::ClaimedJob claimed = claim(seed);
  clock.advance(std::chrono::milliseconds(2500));
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.finish({claimed.seq, claimed.token}, queue::JobState::dead,
                                 queue::JobReason::permanent_error,
                                 {ErrorCode::handler_failed, std::string(error)}, clock.wall()));
  });
}

void Program::succeed(int seed) {
  const queue::ClaimedJob claimed = claim(seed);
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.finish_succeeded({claimed.seq, claimed.token}, clock.wall()));
  });
}

void Program::fail_once(int seed, std::string_view error) {
  const queue::ClaimedJob claimed = claim(seed);
  clock.advance(std::chrono::seconds(30));
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.retry({claimed.seq, claimed.token}, clock.wall() + std::chrono::seconds(41),
                                {ErrorCode::handler_failed, std::string(error)}, clock.wall()));
  });
}

void Program::give_back(int seed, ErrorCode why, std::string_view error) {
  const queue::ClaimedJob claimed = claim(seed);
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(
        writer.release({claimed.seq, claimed.token}, true, {why, std::string(error)}, clock.wall()));
  });
}

void Program::suspect(int seed) {
  const queue::ClaimedJob claimed = claim(seed);
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.suspect({claimed.seq, claimed.token}, queue::CrashCharge::none,
                                  {ErrorCode::interrupted, "The daemon ended while it held this job."},
                                  clock.wall()));
  });
}

void Program::tell_pools(const std::vector<queue::PoolRecord>& pools) {
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    if (incarnation_.value == 0) incarnation_ = writer.open_incarnation(1, "app-1", 812, clock.wall());
    writer.tell_pools(incarnation_, pools);
  });
}

queue::JobRecord Program::job(int seed) {
  std::optional<queue::JobRecord> record;
  store->read([&](queue::JobReader& reader) { record = reader.find_job(job_id(seed)); });
  if (!record) throw std::runtime_error("no such job");
  return *record;
}

}  // namespace tenure::cli
