#include "unit/state/samples.hpp"

#include <memory>
#include <sstream>
#include <variant>

namespace vigil::state::test {

using namespace std::chrono_literals;
using namespace core;

std::vector<Cause> every_cause() {
    const auto last = [](Cause cause) { return std::make_shared<const Cause>(std::move(cause)); };
    return {
        {cause::None{}},
        {cause::ByOperator{{1000, 4321}}},
        {cause::ExitCode{-3}},
        {cause::ExitSignal{11, true}},
        {cause::ExitUnknown{}},
        {cause::HeartbeatTimeout{2500ms}},
        {cause::ReadyTimeout{100h}},
        {cause::SpawnFailed{{SpawnStage::cwd, 2, "/opt/shop: gone"}}},
        {cause::AttemptsExhausted{7, nullptr}},
        {cause::AttemptsExhausted{5, last({cause::None{}})}},
        {cause::AttemptsExhausted{6, last({cause::ExitSignal{9, false}})}},
        {cause::AttemptsExhausted{8, last({cause::HeartbeatTimeout{3s}})}},
        {cause::AttemptsExhausted{9, last({cause::SpawnFailed{{SpawnStage::exec, 13, "no x bit"}}})}},
        {cause::Dependency{"database"}},
        {cause::ConfigReload{}},
        {cause::Shutdown{}},
        {cause::Adopted{}},
        {cause::OutOfMemory{}},
    };
}

Record full_record(const std::string& name) {
    Record record;
    TaskRecord& task = record.task;
    task.name = name;
    task.desired = Desired::removed;
    task.state = StateName::stopping;
    task.cause = {cause::HeartbeatTimeout{2s}};
    task.generation = Generation{0x1122'3344'5566'7788};
    task.runs = 99;
    task.attempts = 4;
    task.paused = true;
    task.started_at = TimePoint(12'345ms);
    task.main_pid = 4'194'303;
    task.stable_due = TimePoint(99s);
    task.host_faults = 3;
    task.why = {cause::ByOperator{{0, 77}}};
    task.ordered = true;
    task.forced = true;
    task.killed = true;
    task.state_due = TimePoint(77s);
    task.asked = true;
    task.next_step = 2;
    task.ended = ExitStatus{ExitStatus::Kind::signal, 0, 6, true};
    task.status_text = "serving 12 clients";
    task.heartbeat_timeout = 1500ms;
    task.last_exit = LastExit{.status = {ExitStatus::Kind::code, 3, 0, false},
                              .at = TimePoint(11s),
                              .generation = Generation{41},
                              .usage = ResourceUse{1s, 20ms, 1 << 20}};
    for (std::size_t i = 0; i < 16; ++i) record.run.invocation[i] = static_cast<std::uint8_t>(0xF0 + i);
    record.run.start_time = 123'456'789;
    record.run.pidfd_inode = 0xFFFF'FFFF'FFFF'FFFE;
    record.run.uid = 65'534;
    record.run.cgroup = true;
    record.run.notify_path = "/run/vigil/notify/00112233445566778899aabbccddeeff";
    record.spec = 17;
    return record;
}

Record small_record(const std::string& name, std::uint64_t generation, std::uint64_t runs) {
    Record record;
    record.task.name = name;
    record.task.state = StateName::healthy;
    record.task.generation = Generation{generation};
    record.task.runs = runs;
    return record;
}

Record random_record(std::mt19937_64& random, std::size_t longest) {
    const auto below = [&](std::uint64_t bound) { return random() % bound; };
    const auto text = [&](std::size_t most) {
        std::string out(below(most + 1), '\0');
        for (char& c : out) c = static_cast<char>(below(256));
        return out;
    };
    const auto word = [&](std::size_t most) {
        std::string out(1 + below(most), '\0');
        for (char& c : out) c = static_cast<char>('a' + below(26));
        return out;
    };
    const auto time = [&] { return TimePoint(Duration(static_cast<std::int64_t>(random()))); };
    const auto cause = [&] {
        Cause picked = every_cause()[below(every_cause().size())];
        if (auto* spawn = std::get_if<cause::SpawnFailed>(&picked.kind))
            spawn->failure.detail = text(longest);
        if (auto* on = std::get_if<cause::Dependency>(&picked.kind)) on->task = text(longest);
        return picked;
    };
    Record record;
    TaskRecord& task = record.task;
    task.name = word(kMostName);
    task.desired = static_cast<Desired>(below(4));
    task.state = static_cast<StateName>(below(8));
    task.cause = cause();
    task.generation = Generation{random()};
    task.runs = random() >> below(64);
    task.attempts = static_cast<unsigned>(random());
    task.paused = below(2) != 0;
    task.started_at = time();
    task.main_pid = static_cast<pid_t>(random());
    task.stable_due = below(2) != 0 ? time() : kNever;
    task.host_faults = static_cast<unsigned>(random());
    task.why = cause();
    task.ordered = below(2) != 0;
    task.forced = below(2) != 0;
    task.killed = below(2) != 0;
    task.state_due = below(2) != 0 ? time() : kNever;
    task.asked = below(2) != 0;
    if (below(2) != 0) task.next_step = below(255);
    if (below(2) != 0) task.ended = ExitStatus{ExitStatus::Kind::code, static_cast<int>(random()), 0, false};
    task.status_text = text(longest);
    if (below(2) != 0) task.heartbeat_timeout = Duration(static_cast<std::int64_t>(random()));
    if (below(2) != 0) {
        task.last_exit = LastExit{.status = {}, .at = time(), .generation = Generation{random()}};
        if (below(2) != 0) task.last_exit->usage = ResourceUse{Duration(1), Duration(2), random()};
    }
    for (std::uint8_t& byte : record.run.invocation) byte = static_cast<std::uint8_t>(below(256));
    record.run.start_time = random();
    record.run.pidfd_inode = random();
    record.run.uid = static_cast<uid_t>(random());
    record.run.cgroup = below(2) != 0;
    if (below(2) != 0) record.run.notify_path = "/" + word(kMostNotifyPath - 1);
    record.spec = random();
    return record;
}

std::string describe(const Cause& cause) {
    std::ostringstream out;
    out << cause.kind.index() << " " << cause_name(cause) << " " << explain(cause);
    if (const auto* end = std::get_if<cause::AttemptsExhausted>(&cause.kind))
        out << (end->last ? " last " + describe(*end->last) : " without a last");
    return out.str();
}

std::string describe(const Record& record) {
    const TaskRecord& task = record.task;
    std::ostringstream out;
    const auto status = [&](const ExitStatus& of) {
        out << " " << int(of.kind) << "," << of.code << "," << of.signal << "," << of.core;
    };
    const auto time = [&](TimePoint at) { out << " " << at.time_since_epoch().count(); };
    out << task.name << " " << int(task.desired) << " " << to_string(task.state) << " ["
        << describe(task.cause) << "] g" << static_cast<std::uint64_t>(task.generation) << " " << task.runs
        << " " << task.attempts << " " << task.paused << task.ordered << task.forced << task.killed
        << task.asked << " " << task.next_step.value_or(999) << " "
        << task.state_due.time_since_epoch().count() << " " << record.run.cgroup;
    time(task.started_at);
    time(task.stable_due);
    out << " " << task.main_pid << " " << task.host_faults << " [" << describe(task.why) << "] ended";
    if (task.ended) status(*task.ended);
    out << " heartbeat";
    if (task.heartbeat_timeout) out << " " << task.heartbeat_timeout->count();
    out << " last";
    if (task.last_exit) {
        status(task.last_exit->status);
        time(task.last_exit->at);
        out << " g" << static_cast<std::uint64_t>(task.last_exit->generation) << " usage";
        if (const auto& usage = task.last_exit->usage)
            out << " " << usage->user.count() << " " << usage->system.count() << " " << usage->max_rss;
    }
    out << " invocation";
    for (const std::uint8_t byte : record.run.invocation) out << " " << int(byte);
    out << " " << record.run.start_time << " " << record.run.pidfd_inode << " " << record.run.uid << " \""
        << record.run.notify_path << "\" " << record.spec << " \"" << task.status_text << "\"";
    return out.str();
}

std::vector<std::uint8_t> encoded(const Record& record) {
    std::array<std::uint8_t, kRecordCapacity> out{};
    const std::size_t size = encode(record, out);
    return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)};
}

}  // namespace vigil::state::test
