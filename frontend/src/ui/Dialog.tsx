import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { words } from "@/words";
import { Button, IconButton } from "./Button";
import { classes } from "./classes";
import css from "./Dialog.module.css";

interface DialogProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly isWide?: boolean;
}

export function Dialog({ title, isOpen, onClose, children, isWide = false }: DialogProps) {
  return (
    <ModalOverlay
      className={css["scrim"] ?? ""}
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable
    >
      <Modal className={classes(css["modal"], isWide && css["wide"])}>
        <AriaDialog className={css["dialog"] ?? ""}>
          <header className={css["head"]}>
            <Heading slot="title" className={css["title"] ?? ""}>
              {title}
            </Heading>
            <IconButton label={words.close} onPress={onClose}>
              <X aria-hidden />
            </IconButton>
          </header>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

interface ConfirmProps {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
}

/** Asks once more before something that can't be taken back. */
export function Confirm({ title, text, action, isOpen, onClose, onConfirm }: ConfirmProps) {
  return (
    <Dialog title={title} isOpen={isOpen} onClose={onClose}>
      <p className={css["text"]}>{text}</p>
      <DialogButtons>
        <Button onPress={onClose}>{words.cancel}</Button>
        <Button
          kind="danger"
          onPress={() => {
            onClose();
            onConfirm();
          }}
        >
          {action}
        </Button>
      </DialogButtons>
    </Dialog>
  );
}

export function DialogButtons({ children }: { readonly children: ReactNode }) {
  return <div className={css["buttons"]}>{children}</div>;
}
