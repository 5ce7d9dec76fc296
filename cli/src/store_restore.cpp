#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

// A control database that was put back from a copy: what tenured does at its start, by hand.
namespace tenure::cli {
namespace {

std::string json_of_restore(const queue::RestoreRecord& restored, std::string_view path) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.store.restore/1").key("item").begin_object();
  write_text(writer, "path", path);
  writer.key("epoch").integer(restored.epoch);
  write_time(writer, "copied", restored.copied);
  writer.key("marked").integer(restored.marked).end_object().end_object();
  return out;
}

}  // namespace

ExitCode store_restore(Session& session) {
  const auto accept = session.has("accept-repeats") ? queue::AcceptRepeats::yes : queue::AcceptRepeats::no;
  const auto restored = session.accept_copy(accept);
  if (!restored)
    throw Refused{"NoCopy",
                  fmt::format("{} is no copy that waits to be accepted: tenure store backup has not "
                              "made it, or tenured has started on it since",
                              escaped(session.store_path().string(), 4096))};
  if (session.json()) {
    session.print_json(json_of_restore(*restored, session.store_path().string()));
    return ExitCode::done;
  }
  const ShowStyle& style = session.style();
  session.print(
      fmt::format("this is the control database now, from a copy of {}: epoch {}; tenured looks at "
                  "{} when it starts\n",
                  full_time_text(restored->copied, style), restored->epoch,
                  counted(restored->marked, "tenant's database", "tenants' databases", style)));
  return ExitCode::done;
}

}  // namespace tenure::cli
