#include <tenure/base/error_names.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/migration_request.hpp>

#include <fmt/format.h>

#include <utility>

namespace tenure {
namespace {

constexpr std::string_view kRequestSchema = "tenure.migration.request/1";
constexpr json::ReadLimits kMigrationLimits{.bytes_max = 256UL << 20U, .depth_max = 4};

std::string text_in(const json::Value& value, std::string_view member) {
  const auto found = value.member(member);
  return found ? std::string(found->string().value_or("")) : "";
}

std::int64_t number_in(const json::Value& value, std::string_view member) {
  const auto found = value.member(member);
  return found ? found->integer().value_or(0) : 0;
}

void write_failure(json::Writer& writer, const Failure& failure) {
  writer.key("code").string(name_of(failure.code)).key("message").string(to_utf8(failure.message));
  writer.key("where").string(to_utf8(failure.where));
}

std::optional<Failure> failure_in(const json::Value& value) {
  if (!value.member("code")) return std::nullopt;
  return Failure{error_named(text_in(value, "code")).value_or(ErrorCode::internal), text_in(value, "message"),
                 text_in(value, "tenant"), text_in(value, "where")};
}

std::vector<std::string> steps_in(const json::Value& line) {
  std::vector<std::string> steps;
  if (const auto found = line.member("steps"))
    found->each_element([&](json::Value step) {
      steps.emplace_back(step.string().value_or(""));
      return true;
    });
  return steps;
}

Result<void> read_line(std::string_view line, MigrationReport& report) {
  const auto document = json::Document::parse(line, kMigrationLimits);
  if (!document) return tl::unexpected<Failure>(document.error());
  const json::Value root = document->root();
  if (!root.member("tenant")) {
    report.refusal = failure_in(root);
    return {};
  }
  auto name = TenantName::parse(text_in(root, "tenant"));
  if (!name) return tl::unexpected<Failure>(name.error());
  report.results.push_back({.tenant = *std::move(name),
                            .done = {.from = number_in(root, "from"),
                                     .to = number_in(root, "to"),
                                     .steps = steps_in(root),
                                     .failed_step = text_in(root, "failed_step")},
                            .failure = failure_in(root),
                            .took = std::chrono::microseconds{number_in(root, "took_us")}});
  return {};
}

Result<std::vector<TenantToMigrate>> tenants_in(const json::Value& root) {
  std::vector<TenantToMigrate> tenants;
  Result<void> read;
  if (const auto found = root.member("tenants"))
    found->each_element([&](json::Value each) {
      auto name = TenantName::parse(text_in(each, "name"));
      if (!name) read = tl::unexpected<Failure>(name.error());
      else tenants.push_back({*std::move(name), Generation{number_in(each, "generation")}});
      return read.has_value();
    });
  if (!read) return tl::unexpected<Failure>(read.error());
  return tenants;
}

}  // namespace

std::string request_text(const MigrationRequest& request) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string(kRequestSchema);
  writer.key("application").string(request.application).key("path").string(to_utf8(request.tenants_path));
  writer.key("migrations").string(to_utf8(request.migrations.string()));
  writer.key("descriptors_max").integer(static_cast<std::int64_t>(request.descriptors_max));
  writer.key("to").integer(request.options.to).key("threads").integer(request.options.threads);
  writer.key("scratch").string(to_utf8(request.options.scratch.string())).key("tenants").begin_array();
  for (const TenantToMigrate& tenant : request.tenants)
    writer.begin_object()
        .key("name")
        .string(tenant.name.text())
        .key("generation")
        .integer(tenant.generation.value)
        .end_object();
  writer.end_array().end_object();
  return out;
}

Result<MigrationRequest> read_migration_request(std::string_view text) {
  const auto document = json::Document::parse(text, kMigrationLimits);
  if (!document) return tl::unexpected<Failure>(document.error());
  const json::Value root = document->root();
  if (const std::string schema = text_in(root, "schema"); schema != kRequestSchema)
    return fail(ErrorCode::bad_payload,
                fmt::format("this program reads {}, and was given {}", kRequestSchema, escaped(schema)));
  auto tenants = tenants_in(root);
  if (!tenants) return tl::unexpected<Failure>(tenants.error());
  return MigrationRequest{.application = text_in(root, "application"),
                          .tenants_path = text_in(root, "path"),
                          .migrations = text_in(root, "migrations"),
                          .descriptors_max = static_cast<std::size_t>(number_in(root, "descriptors_max")),
                          .options = {.to = number_in(root, "to"),
                                      .threads = static_cast<int>(number_in(root, "threads")),
                                      .scratch = text_in(root, "scratch")},
                          .tenants = *std::move(tenants)};
}

std::string result_line(const TenantResult& result) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("tenant").string(result.tenant.text()).key("from").integer(result.done.from);
  writer.key("to").integer(result.done.to).key("steps").begin_array();
  for (const std::string& step : result.done.steps) writer.string(to_utf8(step));
  writer.end_array().key("took_us").integer(result.took.count());
  if (result.failure) {
    write_failure(writer, *result.failure);
    writer.key("failed_step").string(to_utf8(result.done.failed_step));
  }
  writer.end_object();
  return out + "\n";
}

std::string refusal_line(const Failure& refusal) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  write_failure(writer, refusal);
  writer.end_object();
  return out + "\n";
}

Result<MigrationReport> read_migration_report(std::string_view text) {
  MigrationReport report;
  if (!text.starts_with(kMigrationHello)) return report;
  report.has_begun = true;
  text.remove_prefix(kMigrationHello.size());
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1))
    if (Result<void> read = read_line(text.substr(0, end), report); !read)
      return tl::unexpected<Failure>(read.error());
  return report;
}

}  // namespace tenure
