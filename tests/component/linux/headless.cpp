// vigil_headless FILE: a process of which the first thread has ended while another goes on for ever. Writes
// its pid to FILE when that is so.
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

namespace {

bool first_thread_has_ended() {
    char text[512] = {};
    std::FILE* stat = std::fopen("/proc/self/stat", "r");
    const bool read = stat != nullptr && std::fgets(text, sizeof text, stat) != nullptr;
    if (stat != nullptr) std::fclose(stat);
    char state = '?';
    return read && std::sscanf(text, "%*d (%*[^)]) %c", &state) == 1 && state == 'Z';
}

void* go_on(void* path) {
    while (!first_thread_has_ended()) ::usleep(1'000);
    std::FILE* file = std::fopen(static_cast<const char*>(path), "w");
    if (file == nullptr || std::fprintf(file, "%d\n", ::getpid()) < 0 || std::fclose(file) != 0) ::_exit(1);
    for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
    pthread_t thread{};
    if (argc != 2 || ::pthread_create(&thread, nullptr, go_on, argv[1]) != 0) return 1;
    ::syscall(SYS_exit, 0);
    return 1;
}
