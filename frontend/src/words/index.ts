/**
 * Every sentence of the manager. Another language is another file of the same shape (`satisfies Words`), chosen here.
 */
import { en } from "./en";

export type Words = typeof en;
export const words: Words = en;
