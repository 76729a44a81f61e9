/* The command line of actc. */
#ifndef ACT_DRIVER_DRIVER_H
#define ACT_DRIVER_DRIVER_H

/* Returns the exit code: 0 done (warnings included), 1 errors in the network, 2 usage or I/O. */
int driver_main(int argc, char **argv);

#endif
