#include <tenure/client.hpp>
#include <tenure/worker.hpp>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

// A job is plain data with a stable name.
struct AddNote {
  static constexpr std::string_view kind = "notes.add_note";

  std::string text;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text));
  }
};

// In the application: the job belongs to the tenant whose scope it is enqueued in.
void enqueue_note(const char* tenant, const char* text) {
  tenure::Client client = tenure::Client::open("tenure.toml");
  tenure::with_tenant(tenant, [&] { client.enqueue(AddNote{text}); });
}

// In the worker program: a handler is anything that can be called, registered in main.
int work(int argc, char** argv) {
  tenure::JobRegistry jobs;
  jobs.add<AddNote>([](const AddNote& job, tenure::JobContext& context) {
    context.once("insert", [&](tenure::JobTransaction& transaction) {
      transaction.execute("insert into note (text) values (?)", job.text);
    });
  });
  return tenure::worker_main(argc, argv, jobs);
}

int main(int argc, char** argv) try {
  if (argc > 1 && std::string_view{argv[1]} == "add") {
    if (argc != 4) return std::fputs("usage: notes add TENANT TEXT\n", stderr), 2;
    enqueue_note(argv[2], argv[3]);
    return 0;
  }
  return work(argc, argv);
} catch (const std::exception& error) {
  std::fprintf(stderr, "notes: %s\n", error.what());
  return 1;
}
