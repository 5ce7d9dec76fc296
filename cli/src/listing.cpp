#include "listing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tenure::cli {

void note_scan(Session& session, const ListTotal& total) {
  if (!total.looked_at) return;
  session.note(fmt::format(
      "succeeded jobs were looked for among the newest {} jobs only; --scan N looks at more of them",
      number_text(*total.looked_at, session.style())));
}

void note_total(Session& session, const ListNoun& noun, std::int64_t shown, const ListTotal& total) {
  const std::string all = count_text(total.count, total.capped, session.style());
  session.note(shown == total.count && !total.capped
                   ? counted(shown, noun.one, noun.many, session.style())
                   : number_text(shown, session.style()) + " of " + all +
                         (total.next ? "; next page: --after " + escaped(*total.next) : ""));
  note_scan(session, total);
}

void refuse_cursor(std::string_view noun) {
  raise(ErrorCode::bad_options, fmt::format("--after names no {} of this list", noun));
}

void refuse_word(std::string_view what, std::string_view word, std::span<const std::string_view> known) {
  const auto near = nearest(word, known);
  raise(ErrorCode::bad_options, fmt::format("there is no {} '{}'; {}", what, escaped(word, 64),
                                            near ? fmt::format("did you mean {}?", *near)
                                                 : fmt::format("known: {}", fmt::join(known, ", "))));
}

std::optional<SortOrder> sort_order(const Session& session, std::span<const std::string_view> fields) {
  if (!session.has("sort")) return std::nullopt;
  const std::string_view text = session.option("sort");
  const std::string_view field = text.substr(0, text.find(':'));
  const std::string_view direction = text.substr(std::min(field.size() + 1, text.size()));
  if (std::find(fields.begin(), fields.end(), field) == fields.end())
    refuse_word("sort field", field, fields);
  if (direction != "asc" && direction != "desc" && field.size() != text.size())
    raise(ErrorCode::bad_options, fmt::format("--sort {} ends in asc or desc", escaped(text, 64)));
  return SortOrder{std::string(field), direction == "desc"};
}

void write_time(json::Writer& writer, std::string_view key, const std::optional<WallTime>& time) {
  writer.key(key);
  if (time) writer.string(to_rfc3339(*time));
  else writer.null();
}

void write_text(json::Writer& writer, std::string_view key, std::string_view text) {
  writer.key(key).string(to_utf8(text));
}

}  // namespace tenure::cli
