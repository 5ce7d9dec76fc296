#include "dispatcher_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tenure::simulation {

namespace {

std::string of(const queue::ClaimRef& claim) {
  return fmt::format("{}@{}.{}", claim.seq.value, claim.token.incarnation.value, claim.token.counter);
}

struct HowText {
  std::string operator()(const daemon::EndSucceeded&) const { return "succeeded"; }
  std::string operator()(const daemon::EndRetry& end) const {
    return fmt::format("retry {} {} {}{}{}", to_us(end.due), int(end.failure.code), end.failure.error,
                       end.rule.empty() ? "" : " by ", end.rule);
  }
  std::string operator()(const daemon::EndFinal& end) const {
    return fmt::format("final {} {} {} {}", int(end.state), int(end.reason), end.failure.error, end.refused);
  }
  std::string operator()(const daemon::EndPutOff& end) const {
    return fmt::format("put off until {}", to_us(end.due));
  }
  std::string operator()(const daemon::EndRelease& end) const {
    return fmt::format("release {} {}", end.started, end.why.error);
  }
  std::string operator()(const daemon::EndBlock& end) const {
    return fmt::format("block {}", int(end.reason));
  }
  std::string operator()(const daemon::EndReclaim& end) const {
    return fmt::format("reclaim {} {}", int(end.charge), end.failure.error);
  }
};

std::string of(const queue::ClaimRequest& request) {
  std::string text =
      fmt::format("claim {}/{}/{} x{}{} for {} from {}.{}:", request.queue.value, request.priority.value,
                  request.tenant.value, request.count, request.first_of_any_size ? "" : " that fit",
                  request.process.value, request.incarnation.value, request.first_counter);
  for (const queue::LaneCursor& kind : request.kinds) {
    text += fmt::format(" {}", kind.kind.value);
    if (kind.after) text += fmt::format(">{},{}", to_us(kind.after->due), kind.after->seq.value);
  }
  return text;
}

struct AskText {
  std::string operator()(const daemon::OpeningPart::Ask& ask) const {
    return fmt::format("open {} {}", ask.node, ask.pid);
  }
  std::string operator()(const daemon::FormerClaimsPart::Ask& ask) const {
    return fmt::format("{} before {}", ask.former_died ? "suspect" : "reclaim", ask.current.value);
  }
  std::string operator()(const daemon::SuspectsPart::Ask& ask) const {
    return fmt::format("suspects after {}", ask.after.value);
  }
  std::string operator()(const daemon::OutboxSyncPart::Ask&) const { return "sync outboxes"; }
  std::string operator()(const daemon::RefusalsPart::Ask& ask) const {
    return fmt::format("{} more refused", ask.count);
  }
  std::string operator()(const daemon::SuspectNewsPart::Ask& ask) const {
    std::string text = "suspects";
    for (const queue::JobSeq seq : ask.outlived) text += fmt::format(" {} outlived", seq.value);
    for (const queue::JobSeq seq : ask.acquitted) text += fmt::format(" {} acquitted", seq.value);
    return text;
  }
  std::string operator()(const daemon::TrialsPart::Ask& ask) const {
    return fmt::format("try {}{} for {}", of(queue::ClaimRef{ask.seq, ask.token}),
                       ask.is_alone ? " alone" : "", ask.process.value);
  }
  std::string operator()(const daemon::RunNewsPart::Ask& all) const {
    std::string text;
    for (const queue::RunNews& news : all)
      text += fmt::format("{} told {} {}, ", of(news.claim), news.progress ? news.progress->done : -1,
                          news.cursor);
    return text;
  }
  std::string operator()(const daemon::EndsPart::Ask& ends) const {
    std::string text;
    for (const daemon::ClaimEnd& end : ends) {
      text += of(end.claim) + " " + std::visit(HowText{}, end.how);
      if (end.capture && end.capture->taken)
        text += fmt::format(" capsule of {}: {}", end.capture->wish.request.value, end.capture->taken->file);
      text += ", ";
    }
    return text;
  }
  std::string operator()(const daemon::PoolsPart::Ask& ask) const {
    std::string text = "tell";
    for (const queue::PoolRecord& pool : ask.pools)
      text += fmt::format(" {} x{}: {}", pool.name, pool.workers, fmt::join(pool.kinds, ","));
    return text;
  }
  std::string operator()(const daemon::DueJobsPart::Ask&) const { return "promote"; }
  std::string operator()(const daemon::ExpiredJobsPart::Ask&) const { return "expire"; }
  std::string operator()(const daemon::NextExpiryPart::Ask&) const { return "next expiry"; }
  std::string operator()(const daemon::FarRetriesPart::Ask& ask) const {
    if (!ask.after) return "draw in retries";
    return fmt::format("draw in retries after {},{}", to_us(ask.after->due), ask.after->seq.value);
  }
  std::string operator()(const daemon::BlockedJobsPart::Ask& ask) const {
    return fmt::format("unblock {} after {}", int(ask.reason), ask.after.value);
  }
  std::string operator()(const daemon::CancelRequestsPart::Ask& ask) const {
    return fmt::format("cancels after {}", ask.after.value);
  }
  std::string operator()(const daemon::CapturesPart::Ask& ask) const {
    return fmt::format("captures since {}{}", ask.known.value,
                       ask.has_expired ? ", without expired ones" : "");
  }
  std::string operator()(const daemon::SchemasPart::Ask& ask) const {
    return fmt::format("schemas {}{}", ask.known.value, ask.has_old ? " old" : "");
  }
  std::string operator()(const daemon::PausesPart::Ask& ask) const {
    return fmt::format("pauses since {}{}", ask.known.value, ask.has_expired ? ", without expired ones" : "");
  }
  std::string operator()(const daemon::LimitsPart::Ask& ask) const {
    return fmt::format("limits since {}{}{}", ask.known.value,
                       ask.declared ? fmt::format(", {} declared", ask.declared->size()) : "",
                       ask.wants_buckets ? ", with buckets" : "");
  }
  std::string operator()(const daemon::StartsPart::Ask& notes) const {
    std::string text = "starts";
    for (const queue::BucketNote& note : notes)
      text += fmt::format(" of {}: bucket {}, {}{}{}", note.bucket.group.limit.value, note.bucket.number,
                          note.bucket.starts, note.bucket.is_last ? " last" : "", note.is_news ? " new" : "");
    return text;
  }
  std::string operator()(const daemon::PassedTurnsPart::Ask& turns) const {
    std::string text = "pass over";
    for (const daemon::KeyTurn& turn : turns)
      text += fmt::format(" {} ({} lanes)", turn.seq.value, turn.gated.size());
    return text;
  }
  std::string operator()(const daemon::FreeKeysPart::Ask& ask) const {
    return fmt::format("free keys after '{}'", ask.after);
  }
  std::string operator()(const daemon::SchedulesPart::Ask& ask) const {
    return fmt::format("schedules since {}", ask.known.value);
  }
  std::string operator()(const daemon::TicksPart::Ask& ask) const {
    std::string text = "ticks";
    if (ask.declared) text += fmt::format(" of {} declared", ask.declared->size());
    for (const auto& [name, order] : ask.orders) {
      text += fmt::format(" {} from {} to {}", name, to_us(order.decided), to_us(order.until));
      if (order.fire) text += fmt::format(" fires {}", to_us(*order.fire));
      text += fmt::format(" missed {} paused {}", order.missed_count, order.paused.size());
    }
    return text;
  }
  std::string operator()(const daemon::FanOutsPart::Ask& ask) const {
    return fmt::format("fan-outs since {}", ask.known.value);
  }
  std::string operator()(const daemon::VisitsPart::Ask& ask) const {
    std::string text = "visits";
    for (const auto& [name, order] : ask.orders)
      text += fmt::format(" of {} after {}: {} tenants, {} jobs{}{}", order.fan_out.value, order.after.value,
                          order.tenants_max, order.jobs_max, order.is_cancelled ? ", cancelled" : "",
                          order.waiting_max > 0 ? ", and who waits"
                          : order.look.empty()  ? ""
                                                : fmt::format(", and whether {} wait", order.look.size()));
    return text;
  }
  std::string operator()(const daemon::OverlapsPart::Ask& ask) const {
    return fmt::format("overlaps after {}", ask.after.value);
  }
  std::string operator()(const daemon::LaneHintsPart::Ask&) const { return "hints"; }
  std::string operator()(const daemon::NewJobsPart::Ask& ask) const {
    return fmt::format("new after {}", ask.after.value);
  }
  std::string operator()(const daemon::NextDuePart::Ask&) const { return "next due"; }
  std::string operator()(const daemon::OutboxRowsPart::Ask& ask) const {
    std::string text = "outbox";
    for (const auto& [process, report] : ask) {
      text += fmt::format(" from {} {}.{}:", process.value, report.owner.tenant.text(),
                          report.owner.generation.value);
      for (const queue::OutboxRow& row : report.rows.rows) text += fmt::format(" {}", row.seq.value);
    }
    return text;
  }
  std::string operator()(const daemon::LaneScanPart::Ask& ask) const {
    if (!ask.after) return "scan";
    return fmt::format("scan after {}/{}/{}/{}", ask.after->queue.value, ask.after->priority.value,
                       ask.after->tenant.value, ask.after->kind.value);
  }
  std::string operator()(const daemon::TenantNewsPart::Ask&) const { return "tenant news"; }
  std::string operator()(const daemon::TenantStatesPart::Ask& tenants) const {
    std::string text = "tenants";
    for (const TenantNumber tenant : tenants) text += fmt::format(" {}", tenant.value);
    return text;
  }
  std::string operator()(const daemon::NamesPart::Ask& ask) const {
    std::string text = "names";
    for (const queue::QueueNumber queue : ask.queues) text += fmt::format(" queue {}", queue.value);
    for (const queue::KindNumber kind : ask.kinds) text += fmt::format(" kind {}", kind.value);
    return text;
  }
  std::string operator()(const daemon::LoneClaimsPart::Ask& requests) const {
    std::string text = "alone";
    for (const queue::SuspectRequest& request : requests)
      text += fmt::format(" {} for {} from {}.{}", request.seq.value, request.process.value,
                          request.token.incarnation.value, request.token.counter);
    return text;
  }
  std::string operator()(const daemon::ClaimsPart::Ask& ask) const {
    std::string text = fmt::format("at most {} bytes ", ask.bytes_max);
    for (const queue::ClaimRequest& request : ask.requests) text += of(request) + ", ";
    return text;
  }
};

std::string of(const daemon::RoundWork& work) {
  std::string text;
  if (work.change_check) text += fmt::format("unless {}; ", work.change_check->unless_still.value_or(-1));
  daemon::RoundParts::for_each([&]<class Part>() {
    if (const auto& ask = work.ask<Part>()) text += AskText{}(*ask) + "; ";
  });
  return text;
}

struct ActionText {
  std::string operator()(const daemon::RunRound& action) const { return "round " + of(*action.work); }
  std::string operator()(const daemon::StartProcess& action) const {
    return fmt::format("start {} pool {}", action.process.value, action.pool);
  }
  std::string operator()(const daemon::Assign& action) const {
    std::string text = fmt::format("assign {}:", action.process.value);
    for (const queue::ClaimedJob& job : action.jobs) {
      text += " " + of(queue::ClaimRef{job.seq, job.token});
      if (job.capture) text += fmt::format(" for {}", job.capture->request.value);
    }
    return text;
  }
  std::string operator()(const daemon::Recall& action) const {
    std::string text = fmt::format("recall {}:", action.process.value);
    for (const queue::ClaimRef& job : action.jobs) text += " " + of(job);
    return text;
  }
  std::string operator()(const daemon::Drain& action) const {
    return fmt::format("drain {}", action.process.value);
  }
  std::string operator()(const daemon::GiveStopToken& action) const {
    return fmt::format("stop token {} {} {}", action.process.value, action.seq.value, int(action.reason));
  }
  std::string operator()(const daemon::Ping& action) const {
    return fmt::format("ping {}", action.process.value);
  }
  std::string operator()(const daemon::Describe& action) const {
    return fmt::format("describe {}", action.process.value);
  }
  std::string operator()(const daemon::AcknowledgeOutbox& action) const {
    return fmt::format("acknowledge {} {}.{} {}", action.process.value, action.owner.tenant.text(),
                       action.owner.generation.value, action.watermark.value);
  }
  std::string operator()(const daemon::EndProcess& action) const {
    return fmt::format("{} {}", action.by == daemon::EndProcess::By::abort ? "abort" : "kill",
                       action.process.value);
  }
  std::string operator()(const daemon::WakeAt& action) const {
    return fmt::format("wake at {}", action.at.since_start.count());
  }
  std::string operator()(const daemon::Note& action) const {
    return fmt::format("note {} {} {} {} {}", int(action.level), action.event, action.message, action.pool,
                       action.process.value);
  }
  std::string operator()(const daemon::FormerClaimsTaken&) const { return "former claims taken"; }
  std::string operator()(const daemon::Serving&) const { return "serving"; }
  std::string operator()(const daemon::Leave&) const { return "leave"; }
};

}  // namespace

std::string text_of(const daemon::Action& action) { return std::visit(ActionText{}, action); }

std::string text_of(const daemon::Actions& actions) {
  std::string text;
  for (const daemon::Action& action : actions) text += text_of(action) + "\n";
  return text;
}

}  // namespace tenure::simulation
