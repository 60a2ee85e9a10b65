#include "base/quantity.hpp"
#include "base/signal_name.hpp"
#include "config/fields.hpp"

namespace vigil::config {
namespace {

/// In whole milliseconds where that is precise enough: the value is shown to people and told to clients.
core::Duration third(core::Duration timeout) {
    const core::Duration exact = std::max(timeout / 3, core::Duration(1));
    const auto rounded = std::chrono::floor<std::chrono::milliseconds>(exact);
    return rounded >= std::chrono::milliseconds(10) ? core::Duration(rounded) : exact;
}

using core::TaskSpec;
using Path = std::string_view;

template <typename Enum>
void write_word(json::Writer& out, std::string_view path, Enum value) {
    out.value(find_key(Scope::task, path)->words[static_cast<std::size_t>(value)]);
}

void write_strings(json::Writer& out, const auto& strings) {
    out.begin_array();
    for (const std::string_view text : strings) out.value(text);
    out.end_array();
}

void write_duration(json::Writer& out, core::Duration duration) {
    out.value(format_duration(duration));
}

void write_limit(json::Writer& out, const std::optional<std::uint64_t>& limit) {
    if (limit)
        out.value(*limit);
    else
        out.value("unlimited");
}

void write_rlimits(json::Writer& out, const std::vector<core::ResourceLimit>& limits) {
    out.begin_object();
    for (const core::ResourceLimit& limit : limits)
        for (const LimitName& name : limit_names()) {
            if (name.resource != limit.resource) continue;
            out.key(name.name).begin_object();
            write_limit(out.key("soft"), limit.soft);
            write_limit(out.key("hard"), limit.hard);
            out.end_object();
        }
    out.end_object();
}

std::optional<int> as_int(std::optional<std::int64_t> number) {
    return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

/// Reading a member of `heartbeat` in a task without one changes nothing, writing one gives null.
template <auto Read>
void read_heartbeat(const Reader& from, Path path, TaskSpec& into) {
    if (into.heartbeat) Read(from, path, *into.heartbeat);
}
template <auto Write>
void write_heartbeat(json::Writer& out, const TaskSpec& spec, EnvValues) {
    if (spec.heartbeat)
        Write(out, *spec.heartbeat);
    else
        out.null();
}

core::Duration duration_of(const Reader& from, Path path) {
    return from.duration(path).value_or(core::Duration::zero());
}

void read_ready_on(const Reader& from, Path path, TaskSpec& into) {
    const auto fallback = into.heartbeat ? core::ReadyOn::heartbeat : core::ReadyOn::exec;
    into.ready.on = from.word<core::ReadyOn>(path).value_or(fallback);
}

void read_ready_timeout(const Reader& from, Path path, TaskSpec& into) {
    switch (into.ready.on) {
        case core::ReadyOn::exec: return;
        case core::ReadyOn::heartbeat:
            into.ready.timeout = from.duration(path).value_or(into.heartbeat ? into.heartbeat->initial_delay
                                                                             : core::Duration::zero());
            return;
        case core::ReadyOn::notify:
            into.ready.timeout = from.duration(path).value_or(std::chrono::seconds(60));
            return;
    }
}

void read_rlimits(const Reader& from, Path path, TaskSpec& into) {
    // A side that is missing is reported by whoever puts the spec together.
    for (const LimitSides& sides : from.rlimits(path))
        into.launch.edit().rlimits.push_back(
            {sides.resource, sides.soft.value_or(std::nullopt), sides.hard.value_or(std::nullopt)});
}

void write_env(json::Writer& out, const TaskSpec& spec, EnvValues env) {
    out.begin_object();
    for (const auto& [name, value] : spec.launch->env)
        out.member(name, env == EnvValues::shown ? std::string_view(value) : "***");
    out.end_object();
}

void read_stop_signals(const Reader& from, Path path, TaskSpec& into) {
    std::vector<core::StopStep> steps = from.stop_steps(path);
    if (steps.empty()) return;
    into.stop.edit().signal = steps.front().signal;
    into.stop.edit().timeout = steps.front().wait;
    into.stop.edit().further.assign(steps.begin() + 1, steps.end());
}

/// Null where `stop.signal` and `stop.timeout` say it all.
void write_stop_signals(json::Writer& out, const TaskSpec& spec, EnvValues) {
    if (spec.stop->further.empty()) {
        out.null();
        return;
    }
    const auto write = [&](int signal, core::Duration wait) {
        out.begin_object().member("signal", signal_name(signal));
        write_duration(out.key("wait"), wait);
        out.end_object();
    };
    out.begin_array();
    write(spec.stop->signal, spec.stop->timeout);
    for (const core::StopStep& step : spec.stop->further) write(step.signal, step.wait);
    out.end_array();
}

/// In the order of the words of `output.streams`.
enum class Streams : std::uint8_t { together, apart };

using core::HeartbeatRule;

// clang-format off
constexpr TaskField kFields[] = {
{"command", [](const Reader& r, Path p, TaskSpec& s) { s.command = r.strings(p).value_or(std::vector<std::string>()); },
            [](json::Writer& w, const TaskSpec& s, EnvValues) { write_strings(w, s.command); }},
{"autostart", [](const Reader& r, Path p, TaskSpec& s) { s.autostart = r.boolean(p); },
              [](json::Writer& w, const TaskSpec& s, EnvValues) { w.value(s.autostart); }},
{"cwd", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().cwd = r.string(p).value_or("/"); },
        [](json::Writer& w, const TaskSpec& s, EnvValues) { w.value(s.launch->cwd); }},
{"umask", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().umask = r.mode(p); },
          [](json::Writer& w, const TaskSpec& s, EnvValues) { write_mode(w, s.launch->umask); }},
{"env", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().env = r.environment(p); }, write_env},
{"env_file", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().env_file = r.string(p).value_or(""); },
             [](json::Writer& w, const TaskSpec& s, EnvValues) { write_text_or_null(w, s.launch->env_file); }},
{"inherit_env", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().inherit_env = r.strings(p).value_or(std::vector<std::string>()); },
                [](json::Writer& w, const TaskSpec& s, EnvValues) { write_strings(w, s.launch->inherit_env); }},
{"user", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().user = r.string(p).value_or(""); },
         [](json::Writer& w, const TaskSpec& s, EnvValues) { write_text_or_null(w, s.launch->user); }},
{"group", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().group = r.string(p).value_or(""); },
          [](json::Writer& w, const TaskSpec& s, EnvValues) { write_text_or_null(w, s.launch->group); }},
{"supplementary_groups", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().supplementary_groups = r.strings(p); },
    [](json::Writer& w, const TaskSpec& s, EnvValues) {
        if (s.launch->supplementary_groups) write_strings(w, *s.launch->supplementary_groups);
        else w.null();
    }},
{"nice", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().nice = as_int(r.integer(p)); },
         [](json::Writer& w, const TaskSpec& s, EnvValues) { w.value(s.launch->nice); }},
{"rlimits", read_rlimits,
            [](json::Writer& w, const TaskSpec& s, EnvValues) { write_rlimits(w, s.launch->rlimits); }},
{"oom_score_adj", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().oom_score_adj = as_int(r.integer(p)); },
                  [](json::Writer& w, const TaskSpec& s, EnvValues) { w.value(s.launch->oom_score_adj); }},
{"no_new_privs", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().no_new_privs = r.boolean(p); },
                 [](json::Writer& w, const TaskSpec& s, EnvValues) { w.value(s.launch->no_new_privs); }},

{"heartbeat", [](const Reader& r, Path p, TaskSpec& s) { if (r.has(p)) s.heartbeat.emplace(); },
              [](json::Writer& w, const TaskSpec& s, EnvValues) {
                  if (s.heartbeat) w.begin_object().end_object();
                  else w.null();
              }},
{"heartbeat.timeout", read_heartbeat<[](const Reader& r, Path p, HeartbeatRule& h) { h.timeout = duration_of(r, p); }>,
                      write_heartbeat<[](json::Writer& w, const HeartbeatRule& h) { write_duration(w, h.timeout); }>},
{"heartbeat.interval", read_heartbeat<[](const Reader& r, Path p, HeartbeatRule& h) {
                           h.interval = r.duration(p).value_or(third(h.timeout));
                       }>,
                       write_heartbeat<[](json::Writer& w, const HeartbeatRule& h) { write_duration(w, h.interval); }>},
{"heartbeat.initial_delay", read_heartbeat<[](const Reader& r, Path p, HeartbeatRule& h) { h.initial_delay = duration_of(r, p); }>,
                            write_heartbeat<[](json::Writer& w, const HeartbeatRule& h) { write_duration(w, h.initial_delay); }>},
{"heartbeat.signal", read_heartbeat<[](const Reader& r, Path p, HeartbeatRule& h) { h.signal = r.signal(p); }>,
                     write_heartbeat<[](json::Writer& w, const HeartbeatRule& h) { w.value(signal_name(h.signal)); }>},
{"heartbeat.access", read_heartbeat<[](const Reader& r, Path p, HeartbeatRule& h) {
                         h.access = r.word<core::HeartbeatAccess>(p).value_or(h.access);
                     }>,
                     write_heartbeat<[](json::Writer& w, const HeartbeatRule& h) { write_word(w, "heartbeat.access", h.access); }>},
{"heartbeat.fd", read_heartbeat<[](const Reader& r, Path p, HeartbeatRule& h) { h.pipe = r.boolean(p); }>,
                 write_heartbeat<[](json::Writer& w, const HeartbeatRule& h) { w.value(h.pipe); }>},

{"ready.on", read_ready_on, [](json::Writer& w, const TaskSpec& s, EnvValues) { write_word(w, "ready.on", s.ready.on); }},
{"ready.timeout", read_ready_timeout,
                  [](json::Writer& w, const TaskSpec& s, EnvValues) {
                      if (s.ready.timeout) write_duration(w, *s.ready.timeout);
                      else w.null();
                  }},

{"restart.policy", [](const Reader& r, Path p, TaskSpec& s) { s.restart.edit().policy = r.word<core::RestartPolicy>(p).value_or(s.restart->policy); },
                   [](json::Writer& w, const TaskSpec& s, EnvValues) { write_word(w, "restart.policy", s.restart->policy); }},
{"restart.base_delay", [](const Reader& r, Path p, TaskSpec& s) { s.restart.edit().base_delay = duration_of(r, p); },
                       [](json::Writer& w, const TaskSpec& s, EnvValues) { write_duration(w, s.restart->base_delay); }},
{"restart.max_backoff_exponent", [](const Reader& r, Path p, TaskSpec& s) { s.restart.edit().max_backoff_exponent = static_cast<unsigned>(r.integer(p).value_or(0)); },
                                 [](json::Writer& w, const TaskSpec& s, EnvValues) { w.value(s.restart->max_backoff_exponent); }},
{"restart.max_delay", [](const Reader& r, Path p, TaskSpec& s) { s.restart.edit().max_delay = duration_of(r, p); },
                      [](json::Writer& w, const TaskSpec& s, EnvValues) { write_duration(w, s.restart->max_delay); }},
{"restart.max_attempts", [](const Reader& r, Path p, TaskSpec& s) {
                             const auto count = r.integer(p);
                             s.restart.edit().max_attempts = count ? std::optional(static_cast<unsigned>(*count)) : std::nullopt;
                         },
                         [](json::Writer& w, const TaskSpec& s, EnvValues) { w.value(s.restart->max_attempts); }},
{"restart.stable_after", [](const Reader& r, Path p, TaskSpec& s) { s.restart.edit().stable_after = duration_of(r, p); },
                         [](json::Writer& w, const TaskSpec& s, EnvValues) { write_duration(w, s.restart->stable_after); }},
{"restart.jitter", [](const Reader& r, Path p, TaskSpec& s) { s.restart.edit().jitter = r.fraction(p).value_or(0); },
                   [](json::Writer& w, const TaskSpec& s, EnvValues) { w.value(s.restart->jitter); }},
{"restart.when_exhausted", [](const Reader& r, Path p, TaskSpec& s) { s.restart.edit().when_exhausted = r.word<core::WhenExhausted>(p).value_or(s.restart->when_exhausted); },
                           [](json::Writer& w, const TaskSpec& s, EnvValues) { write_word(w, "restart.when_exhausted", s.restart->when_exhausted); }},
{"restart.success_exit_codes", [](const Reader& r, Path p, TaskSpec& s) { s.restart.edit().success_exit_codes = r.exit_codes(p); },
                               [](json::Writer& w, const TaskSpec& s, EnvValues) {
                                   w.begin_array();
                                   for (const int code : s.restart->success_exit_codes) w.value(code);
                                   w.end_array();
                               }},

{"stop.signal", [](const Reader& r, Path p, TaskSpec& s) { s.stop.edit().signal = r.signal(p); },
                [](json::Writer& w, const TaskSpec& s, EnvValues) { w.value(signal_name(s.stop->signal)); }},
{"stop.timeout", [](const Reader& r, Path p, TaskSpec& s) { s.stop.edit().timeout = duration_of(r, p); },
                 [](json::Writer& w, const TaskSpec& s, EnvValues) { write_duration(w, s.stop->timeout); }},
{"stop.to", [](const Reader& r, Path p, TaskSpec& s) { s.stop.edit().to = r.word<core::StopTarget>(p).value_or(s.stop->to); },
            [](json::Writer& w, const TaskSpec& s, EnvValues) { write_word(w, "stop.to", s.stop->to); }},

{"stop.signals", read_stop_signals, write_stop_signals},
{"stop.command", [](const Reader& r, Path p, TaskSpec& s) { s.stop.edit().command = r.strings(p).value_or(std::vector<std::string>()); },
                 [](json::Writer& w, const TaskSpec& s, EnvValues) {
                     if (s.stop->command.empty()) w.null();
                     else write_strings(w, s.stop->command);
                 }},

{"output.to", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().output.to = r.word<core::OutputTo>(p).value_or(s.launch->output.to); },
              [](json::Writer& w, const TaskSpec& s, EnvValues) { write_word(w, "output.to", s.launch->output.to); }},
{"output.path", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().output.path = r.string(p).value_or(""); },
                [](json::Writer& w, const TaskSpec& s, EnvValues) { write_text_or_null(w, s.launch->output.path); }},
{"output.streams", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().output.apart = r.word<Streams>(p) == Streams::apart; },
                   [](json::Writer& w, const TaskSpec& s, EnvValues) {
                       write_word(w, "output.streams", s.launch->output.apart ? Streams::apart : Streams::together);
                   }},
{"output.format", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().output.format = r.word<core::OutputFormat>(p).value_or(s.launch->output.format); },
                  [](json::Writer& w, const TaskSpec& s, EnvValues) { write_word(w, "output.format", s.launch->output.format); }},
{"output.max_size", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().output.max_size = r.size(p).value_or(s.launch->output.max_size); },
                    [](json::Writer& w, const TaskSpec& s, EnvValues) { w.value(format_size(s.launch->output.max_size)); }},
{"output.max_age", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().output.max_age = r.duration(p); },
                   [](json::Writer& w, const TaskSpec& s, EnvValues) {
                       if (s.launch->output.max_age) write_duration(w, *s.launch->output.max_age);
                       else w.null();
                   }},
{"output.keep", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().output.keep = static_cast<unsigned>(r.integer(p).value_or(0)); },
                [](json::Writer& w, const TaskSpec& s, EnvValues) { w.value(s.launch->output.keep); }},
{"output.max_total", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().output.max_total = r.size(p); },
                     [](json::Writer& w, const TaskSpec& s, EnvValues) {
                         if (s.launch->output.max_total) w.value(format_size(*s.launch->output.max_total));
                         else w.null();
                     }},
{"output.compress", [](const Reader& r, Path p, TaskSpec& s) { s.launch.edit().output.compress = r.boolean(p); },
                    [](json::Writer& w, const TaskSpec& s, EnvValues) { w.value(s.launch->output.compress); }},
};
// clang-format on

}  // namespace

std::span<const TaskField> task_fields() noexcept {
    return kFields;
}

}  // namespace vigil::config
