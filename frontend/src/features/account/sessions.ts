/** The live stream tells of plugins, not of people: what is in sight is looked up again now and then. */
export const LOOK_AGAIN = { refetchInterval: 15_000 } as const;
